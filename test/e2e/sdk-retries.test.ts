import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { describeClients } from "../support/sdk/clients.ts";
import { startMoto } from "../support/sdk/moto.ts";
import { startServer } from "../support/sdk/server.ts";
import { startSlow } from "../support/sdk/slow.ts";

const TIMEOUT_MS = 60_000;
const USES = 4;

describeClients("of a program that runs on", (client) => {
  let moto: Awaited<ReturnType<typeof startMoto>>;
  let server: Awaited<ReturnType<typeof startServer>> | undefined;

  beforeAll(async () => {
    moto = await startMoto();
  }, TIMEOUT_MS);
  afterEach(async () => {
    await server?.stop();
  });
  afterAll(() => moto.stop());

  /** Runs the client on one path; gives the outcomes of its requests for credentials. */
  async function outcomes(path: string, env: Record<string, string> = {}): Promise<string[]> {
    const addresses = [`http://127.0.0.1:${server?.port}${path}`];
    const { stdout, stderr } = await client.run({ addresses, env: { AWS_ENDPOINT_URL_STS: moto.url, ...env } });
    expect(stderr).toBe("");
    expect(stdout).toContain("arn:aws:sts::123456789012:");
    return (await server?.audit())?.map(({ outcome }) => outcome) ?? [];
  }

  test(
    "gets credentials from an STS that takes over a second by its own retry",
    async () => {
      const slow = await startSlow(moto.port, 1300);
      server = await startServer(slow.url);
      const asked = await outcomes("/role-arn/arn:aws:iam::123456789012:role/slow");
      expect([asked[0], asked.at(-1)]).toEqual(["upstream-unavailable", "returned"]);
      slow.stop();
    },
    TIMEOUT_MS,
  );

  // It ends after each use.
  if (client.name === "the AWS CLI") return;

  test(
    `asks once for what it uses ${USES} times, while an hour is left`,
    async () => {
      server = await startServer(moto.url);
      expect(await outcomes("/role/app", { CALLS: String(USES) })).toEqual(["returned"]);
    },
    TIMEOUT_MS,
  );

  // The window in which botocore refetches begins at 15 minutes, the others' at 5.
  const refetches = client.name === "boto3";
  test(
    refetches ? "asks at each use with under 15 minutes left, and succeeds" : "asks once with under 15 minutes left",
    async () => {
      server = await startServer(moto.url, { AWS_SESSION_TOKEN: "of-unknown-end" });
      const asked = await outcomes("/creds", { CALLS: String(USES) });
      expect(asked.length).toBe(refetches ? USES + 1 : 1);
      expect(new Set(asked)).toEqual(new Set(["returned"]));
    },
    TIMEOUT_MS,
  );
});
