import { afterEach, describe, expect, jest, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProcesses } from "../../../src/aws/credential-process.ts";
import { AppError } from "../../../src/errors.ts";

const KEYS = `{"Version":1,"AccessKeyId":"a","SecretAccessKey":"s"}`;
const failure = (from: Promise<unknown>): Promise<AppError> =>
  from.then(
    () => Promise.reject(new Error("it worked")),
    (error: unknown) => (error instanceof AppError ? error : Promise.reject(error)),
  );
/** A signal 0 reaches what runs. A zombie does not run, and only its parent can bury it. */
const isRunning = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));

test("a credential_process that hangs is killed with what it started, and the next request starts another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "process-"));
  const pids = () => readFileSync(join(folder, "pids"), "utf8").trim().split("\n").map(Number);
  const ask = createProcesses({ deadlineMs: 300 });
  const hang = `sleep 60 & echo $! >> ${folder}/pids; wait; true`;
  const began = await Promise.all([ask("dev", hang), ask("dev", hang), ask("dev", hang)].map(failure));
  expect(new Set(began.map(({ sentence }) => sentence))).toEqual(
    new Set([
      "profile 'dev': its credential_process did not end within 0.3 s; run it by hand; it may not ask for anything",
    ]),
  );
  expect(pids()).toHaveLength(1);
  await failure(ask("dev", hang));
  expect(pids()).toHaveLength(2);
  await Bun.sleep(50);
  if (existsSync("/proc/self/stat")) expect(pids().map(isRunning)).toEqual([false, false]);
  rmSync(folder, { recursive: true });
});

describe("unless told otherwise", () => {
  afterEach(() => jest.useRealTimers());

  test("a credential_process has 50 s, on a clock of the test's, and then is told so", async () => {
    jest.useFakeTimers();
    let said = "";
    const ended = failure(createProcesses()("dev", "sleep 60")).then(({ publicMessage }) => {
      said = publicMessage;
    });
    jest.advanceTimersByTime(49_999);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(said).toBe("");
    jest.advanceTimersByTime(1);
    await ended;
    expect(said).toBe("profile 'dev': its credential_process did not end within 50 s");
  });
});

test("one that runs is waited for by whoever comes next, one of another command is not", async () => {
  const ask = createProcesses();
  const slow = `sleep 0.2; echo '${KEYS}'`;
  const [first, second] = [ask("dev", slow), ask("dev", slow)];
  expect(await ask("dev", `echo '${KEYS}'`)).toEqual({ accessKeyId: "a", secretAccessKey: "s" });
  expect(await first).toBe(await second);
  expect(await ask("dev", slow)).not.toBe(await first);
});

describe("a credential_process that gives no credentials says why, and nothing of what it wrote", () => {
  const by = "run the credential_process of profile 'dev' by hand";
  for (const [command, said] of [
    ["echo swordfish >&2; exit 3", "failed (exit code 3)"],
    ["no-such-helper --password swordfish", "failed (exit code 127: no such program)"],
    ["echo swordfish", "returned invalid JSON"],
    ["echo null", "did not return Version 1"],
    [`echo '${KEYS.replace("1", "2")}'`, "did not return Version 1"],
    [`echo '{"Version":1,"AccessKeyId":"swordfish"}'`, "returned no keys"],
    [`echo '${KEYS.replace('"a"', '""')}'`, "returned no keys"],
    [`echo '${KEYS.replace('"s"', '""')}'`, "returned no keys"],
    [
      `echo '${KEYS.replace("}", ',"SessionToken":{"a":"swordfish"}}')}'`,
      "returned a SessionToken that is not a string",
    ],
    [`echo '${KEYS.replace("}", ',"SessionToken":12}')}'`, "returned a SessionToken that is not a string"],
    [
      `echo '${KEYS.replace("}", ',"Expiration":"+012345-01-01T00:00:00Z"}')}'`,
      "returned an Expiration that is not a time",
    ],
    [`echo '${KEYS.replace("}", ',"Expiration":"2020-01-01T00:00:00Z"}')}'`, "returned expired credentials"],
    [`echo '${KEYS.replace("}", ',"Expiration":"soon"}')}'`, "returned an Expiration that is not a time"],
    ["yes swordfish", "wrote more than credentials are"],
  ] as const) {
    test(command, async () => {
      const { code, sentence, cause } = await failure(createProcesses()("dev", command));
      expect([code, sentence, cause]).toEqual([
        "identity-failed",
        `profile 'dev': its credential_process ${said}; ${by}`,
        undefined,
      ]);
    });
  }
});

for (const [title, more, given] of [
  ["no token", "", {}],
  ["a token that is empty", ',"SessionToken":""', {}],
  ["a token that is null, and an end too", ',"SessionToken":null,"Expiration":null', {}],
  [
    "the last end that clients read",
    ',"SessionToken":"t","Expiration":"9999-12-31T23:59:59Z"',
    { sessionToken: "t", expiration: new Date("9999-12-31T23:59:59Z") },
  ],
] as const) {
  test(`a credential_process may give ${title}`, async () => {
    const set = await createProcesses()("dev", `echo '${KEYS.replace("}", `${more}}`)}'`);
    expect(set).toEqual({ accessKeyId: "a", secretAccessKey: "s", ...given });
  });
}

test("a credential_process without a shell says so and what to use instead", async () => {
  const { sentence } = await failure(createProcesses({ shell: "/nonexistent/sh" })("dev", "true"));
  expect(sentence).toContain("needs /nonexistent/sh, which is not here; run the server outside of its image, or");
  expect(sentence).toContain("aws configure export-credentials --profile dev --format env-no-export");
});
