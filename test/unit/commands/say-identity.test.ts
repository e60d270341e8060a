import { expect, test } from "bun:test";
import type { Credentials, IdentityFacts, NamedSource } from "../../../src/aws/types.ts";
import { sayIdentity } from "../../../src/commands/startup-log.ts";
import { createVendor } from "../../../src/credentials/vendor.ts";
import { AppError } from "../../../src/errors.ts";
import { createLog } from "../../../src/log.ts";

const END = Date.UTC(2040, 0, 1);
const VENDED = {
  accessKeyId: "ASIAX",
  secretAccessKey: "hidden",
  sessionToken: "hidden",
  expiration: END,
  roleArn: "",
};
const refused = new AppError("identity-failed", "refused", { hint: "renew" });
const down = new AppError("upstream-unavailable", "down", { hint: "retry" });
const ARN = "arn:aws:iam::111122223333:user/dev";

type Made<T> = (() => Promise<T>) | T | AppError;
const make =
  <T>(made: Made<T>) =>
  async (): Promise<T> => {
    if (made instanceof AppError) throw made;
    return typeof made === "function" ? (made as () => Promise<T>)() : made;
  };

async function say(who: Made<IdentityFacts>, session: Made<Credentials>): Promise<string[]> {
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "text", write: (text) => void lines.push(text) });
  const source: NamedSource = {
    version: () => "f",
    session: make(session),
    assume: make(session),
    whoami: make(who),
    warm: async () => {},
  };
  const vendor = createVendor({ source, now: Date.now, log, coldWaitMs: 20 });
  await sayIdentity(source, vendor, log);
  vendor.close();
  log.flush();
  const text = lines.join("");
  expect(text).not.toContain("hidden");
  return (
    text
      .split("\n")
      // The vendor says of each fetch that fails; the line at start is the one after it.
      .filter((line) => line !== "" && !line.includes("could not be fetched"))
      .map((line) => line.replace(/^\S+ /, ""))
  );
}

const slow = () => Bun.sleep(60).then(() => VENDED);
const IDENTITY = "info credentials are returned for this identity";
const NONE = "warning there are no credentials to return yet";

for (const [title, who, session, said] of [
  [
    "ARN, origin and the end of what is returned",
    { origin: "profile 'dev'", arn: ARN },
    VENDED,
    `${IDENTITY} identity=${ARN} origin="profile 'dev'" expiration=2040-01-01T00:00:00.000Z`,
  ],
  [
    "the origin alone and why, where STS does not answer",
    { origin: "profile 'dev'", failure: down },
    VENDED,
    `${IDENTITY} identity="profile 'dev'" expiration=2040-01-01T00:00:00.000Z cause=down`,
  ],
  [
    "the identity's own end while the session is slow",
    { origin: "o", arn: ARN, expiration: END - 1000 },
    slow,
    `${IDENTITY} identity=${ARN} origin=o expiration=2039-12-31T23:59:59.000Z`,
  ],
  ["no end where none is known", { origin: "o", arn: ARN }, slow, `${IDENTITY} identity=${ARN} origin=o`],
  ["what was tried where there is none", refused, refused, `${NONE} code=identity-failed cause=refused hint=renew`],
  [
    "what AWS said of an identity",
    { origin: "o", failure: down },
    refused,
    `${NONE} origin=o code=identity-failed cause=refused hint=renew`,
  ],
  [
    "that AWS does not answer, and not that we still wait",
    { origin: "o", failure: down },
    slow,
    `${NONE} origin=o code=upstream-unavailable cause=down hint=retry`,
  ],
  [
    "that it is offline",
    { origin: "dummy (offline)" },
    VENDED,
    `${IDENTITY} identity="dummy (offline)" expiration=2040-01-01T00:00:00.000Z`,
  ],
] as const) {
  test(`the line at start says ${title}`, async () => {
    expect(await say(who, session)).toEqual([said]);
  });
}

test("an unexpected error is shown by its name only", async () => {
  const unforeseen = () => Promise.reject(new TypeError("hidden"));
  expect(await say(unforeseen, VENDED)).toEqual(["error credentials failed unexpectedly cause=TypeError"]);
});
