import { afterAll, beforeAll, expect, test } from "bun:test";
import { describeClients, python } from "../support/sdk/clients.ts";
import { startMoto } from "../support/sdk/moto.ts";
import { startServer } from "../support/sdk/server.ts";
import { describeWhere } from "../support/tools.ts";

/** A network of its own, in which the address of ECS is ours: clients join it to a relative address by themselves. */
const NAMESPACE = "ecs-local-sdk";
const INSIDE = ["ip", "netns", "exec", NAMESPACE];
const ECS = "169.254.170.2";
const MOTO_PORT = 5000;
const TIMEOUT_MS = 60_000;

function ip(...args: string[]): void {
  const { success, stderr } = Bun.spawnSync(["ip", ...args]);
  if (!success) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}

const missing =
  process.getuid?.() !== 0
    ? "needs root"
    : Bun.which("ip") === null
      ? "needs ip of iproute2"
      : "missing" in python
        ? python.missing
        : undefined;

describeWhere(`at ${ECS}:80 in a network namespace`, missing, () => {
  let moto: Awaited<ReturnType<typeof startMoto>>;
  let server: Awaited<ReturnType<typeof startServer>>;

  beforeAll(async () => {
    // Of a run that was broken off.
    Bun.spawnSync(["ip", "netns", "delete", NAMESPACE]);
    ip("netns", "add", NAMESPACE);
    ip("-n", NAMESPACE, "link", "set", "lo", "up");
    ip("-n", NAMESPACE, "address", "add", `${ECS}/32`, "dev", "lo");
    moto = await startMoto({ port: MOTO_PORT, by: INSIDE });
    const listen = { ECS_LOCAL_METADATA_PORT: "80", ECS_LOCAL_BIND_ADDRESS: ECS };
    server = await startServer(moto.url, listen, { by: INSIDE });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await server.stop();
    await moto.stop();
    ip("netns", "delete", NAMESPACE);
  });

  describeClients("takes the right credentials of", (client) => {
    for (const [path, arn] of [
      ["/creds", "arn:aws:sts::123456789012:user/moto"],
      ["/role/team/sdk/app", "arn:aws:sts::123456789012:assumed-role/app/ecs-local-app"],
    ] as const) {
      test(
        `the relative address ${path}`,
        async () => {
          const env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_ENDPOINT_URL_STS: moto.url };
          const { stdout, stderr } = await client.run({ env, by: INSIDE });
          expect(stderr).toBe("");
          expect(stdout.trim()).toEndWith(arn);
        },
        TIMEOUT_MS,
      );
    }
  });
});
