import { afterAll, beforeAll, expect, test } from "bun:test";
import { describeClients } from "../support/sdk/clients.ts";
import { startMoto } from "../support/sdk/moto.ts";
import { type Audit, startServer } from "../support/sdk/server.ts";

const ACCOUNT = "123456789012";
const ARN = `arn:aws:iam::${ACCOUNT}:role/team/sdk/app`;
const TIMEOUT_MS = 60_000;

type Vended = "session" | "plain" | "app";

/** Every way to ask, with whose credentials are returned. */
const ADDRESSES: readonly (readonly [path: string, returned: Vended])[] = [
  ["/creds", "session"],
  ["/creds/", "session"],
  ["/v2/credentials/any-id", "session"],
  ["/role/plain", "plain"],
  ["/role/plain/", "plain"],
  ["/role/team/sdk/app", "app"],
  ["/role/team/sdk/app/", "app"],
  ["/role/team%2Fsdk%2Fapp", "app"],
  [`/role/${ARN}`, "app"],
  [`/role/${encodeURIComponent(ARN)}`, "app"],
  [`/role-arn/${ARN}`, "app"],
  [`/role-arn/${ARN}/`, "app"],
  [`/role-arn/${ARN.replaceAll(":", "%3A")}`, "app"],
  [`/role-arn/${ARN.replaceAll("/", "%2F")}`, "app"],
  [`/role-arn/${encodeURIComponent(ARN)}/`, "app"],
];

describeClients("takes the right credentials of", (client) => {
  let moto: Awaited<ReturnType<typeof startMoto>>;
  let server: Awaited<ReturnType<typeof startServer>>;
  let callers: string[];
  let audit: Audit[];
  /** What moto calls who asks with the credentials. It knows a role by its whole ARN, and tells its id. */
  let wanted: Record<Vended, string>;

  beforeAll(async () => {
    moto = await startMoto();
    server = await startServer(moto.url);
    const assumed = async (path: string, name: string) =>
      `${await moto.createRole(path, name)}:ecs-local-${name} arn:aws:sts::${ACCOUNT}:assumed-role/${name}/ecs-local-${name}`;
    wanted = {
      session: `AKIAIOSFODNN7EXAMPLE arn:aws:sts::${ACCOUNT}:user/moto`,
      plain: await assumed("/", "plain"),
      app: await assumed("/team/sdk/", "app"),
    };
    const addresses = ADDRESSES.map(([path]) => `http://127.0.0.1:${server.port}${path}`);
    const { stdout, stderr } = await client.run({ addresses, env: { AWS_ENDPOINT_URL_STS: moto.url } });
    expect(stderr).toBe("");
    callers = stdout.trim().split("\n");
    audit = await server.audit();
    // What was returned stays the same for an hour: now the run knows it too, as secrets.
    for (const [path] of ADDRESSES) await server.get(path);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await server.stop();
    await moto.stop();
  });

  ADDRESSES.forEach(([path, returned], index) => {
    test(path, () => {
      expect(callers[index]?.split(/\s/)).toEqual(wanted[returned].split(" "));
      const role = { session: "", plain: ARN.replace("team/sdk/app", "plain"), app: ARN }[returned];
      expect(audit[index]).toMatchObject({ path, role, outcome: "returned" });
    });
  });
});
