import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expectItself, letTaskNetworkPass, services } from "../support/compose/asking.ts";
import { copyProject, describeCompose, membersOf } from "../support/compose/plugin.ts";
import { describeEngines } from "../support/engines.ts";
import { buildServerImage, removeServerImage } from "../support/server-image.ts";

const EXAMPLES = resolve(import.meta.dir, "../../examples");
const TIMEOUT_MS = 240_000;
const SERVER = "ecs-local-endpoints";
const ROLE = "arn:aws:iam::111111111111:role";
/** What the real image brings itself. */
const HEALTH: Readonly<Record<string, object>> = {
  localstack: { healthcheck: { test: ["CMD", "true"], interval: "1s" } },
};
/** Podman's checks are run by timers of systemd, which is missing here: no container would become healthy. */
const STARTED = { depends_on: { localstack: { condition: "service_started" } } };
const ROLES: Readonly<Record<string, string>> = { orders: `${ROLE}/orders`, billing: `${ROLE}/billing` };

describeCompose("examples/", () => {
  // Images cannot be pulled here: the programs are a shell that asks, and the server returns dummy credentials.
  describeEngines("with other programs in their containers", ({ engine, freeSubnet }) => {
    let image: string;
    let stop = () => {};

    beforeAll(async () => {
      image = await buildServerImage(engine);
    }, 60_000);
    afterEach(() => stop(), 60_000);
    afterAll(() => removeServerImage(engine), 30_000);

    for (const name of readdirSync(EXAMPLES)) {
      test(
        name,
        async () => {
          const copy = copyProject(engine, join(EXAMPLES, name), `example-${name}`);
          const files = ["compose.yaml", "shell.yaml"];
          const text = readFileSync(join(copy.directory, "compose.yaml"), "utf8");
          const project = Bun.YAML.parse(text) as { services: Record<string, unknown> };
          const names = Object.keys(project.services);
          const ulimits = { nofile: 1024, nproc: 1024 };
          const waits = engine.name === "podman" && names.includes("localstack");
          const more = (service: string) => (waits && service === "app" ? STARTED : HEALTH[service]);
          const shells = names.map((service) => [
            service,
            service === SERVER
              ? { image, environment: { ECS_LOCAL_OFFLINE: "1" }, volumes: [`${engine.socket}:/var/run/docker.sock`] }
              : { image: "lab/busybox:1", command: ["sh", "-c", "sleep 600"], ulimits, ...more(service) },
          ]);
          const networks = { default: { ipam: { config: [{ subnet: `${freeSubnet()}.0/24` }] } } };
          // JSON is YAML.
          const shell = JSON.stringify({ services: Object.fromEntries(shells), networks });
          writeFileSync(join(copy.directory, "shell.yaml"), shell);
          let stopLetting = () => {};
          stop = () => {
            stopLetting();
            copy.down(files);
          };
          await copy.up(files);
          stopLetting = letTaskNetworkPass(engine);
          const members = await membersOf(engine, `cmp-example-${name}`);
          expect(services(members)).toEqual(names.toSorted());
          // LocalStack is not a container that asks.
          const asking = members.filter(({ Labels }) => Labels["com.docker.compose.service"] !== "localstack");
          await expectItself(engine, asking, ROLES, members);
        },
        TIMEOUT_MS,
      );
    }
  });
});
