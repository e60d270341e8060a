import { toContainer } from "../../../src/engine/container.ts";
import { createPicture } from "../../../src/engine/container-store.ts";
import type { Inventory } from "../../../src/engine/inventory.ts";
import { AppError } from "../../../src/errors.ts";
import { createLookup } from "../../../src/metadata/lookup.ts";
import { createMetadata, type Resource, type Version } from "../../../src/metadata/metadata.ts";
import { createStats } from "../../../src/metadata/stats.ts";
import { createBodies } from "../../../src/metadata/task-document.ts";
import { createTasks } from "../../../src/metadata/tasks.ts";
import { container, withComposeProject } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

const task = { cluster: "c", taskArn: "t", family: "f", revision: "1" };
export const net = network({ name: "n", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });
const ENDED = "2026-01-02T04:00:00.5Z";

export function member(project: string, service: string, ipv4: string, running = true) {
  const document = container({
    name: `${project}-${service}-1`,
    id: `${project}-${service}`,
    running,
    finishedAt: running ? "0001-01-01T00:00:00Z" : ENDED,
  });
  return toContainer(withNetwork(withComposeProject(document, project, service), net, { ipv4 }));
}

export function setup() {
  const picture = createPicture();
  for (const each of [
    member("shop", "web", "10.0.0.2"),
    member("shop", "db", "10.0.0.3"),
    member("shop", "job", "", false),
    member("blog", "web", "10.0.0.4"),
  ])
    picture.put(each);
  picture.setNetworks([{ id: "n", name: "n", subnets: ["10.0.0.0/24"], gateways: ["10.0.0.1"] }]);
  const world = { current: true, confirmed: 0, onConfirm: () => {}, nowMs: Date.parse(ENDED), slow: new Set<string>() };
  const inventory: Partial<Inventory> = {
    picture,
    isCurrent: () => world.current,
    ready: async () => 0,
    atAddress: (address) => (picture.claimants(address).length === 1 ? picture.claimants(address)[0] : undefined),
    waitForAddress: async (address) => picture.claimants(address)[0],
    confirm: async () => {
      world.confirmed += 1;
      world.onConfirm();
    },
  };
  const now = () => world.nowMs;
  const answer = createMetadata({
    picture,
    lookup: createLookup({
      inventory: inventory as Inventory,
      isOwnAddress: (address) => address === "192.0.2.7",
    }),
    stats: createStats({
      latest(id) {
        const text = () => `{"id":"${id}"}`;
        return world.slow.has(id) ? undefined : { complete: true, plain: text, rated: text };
      },
      wait: async () => undefined,
      close: () => {},
    }),
    tasks: createTasks({ picture, bodies: createBodies({}), config: task, now }),
    now,
  });
  const metadata = (resource: Resource, identifier: string | undefined, address: string, version: Version = "v3") =>
    answer({ version, resource, identifier }, address);
  /** The DockerName of a container, those of a task, a stats document as it is, or the error's code. */
  async function ask(resource: Resource, identifier: string | undefined, address: string): Promise<string> {
    try {
      const text = await metadata(resource, identifier, address);
      const document = JSON.parse(text);
      if (resource === "container") return document.DockerName;
      if (resource !== "task") return text;
      return (document.Containers ?? []).map(({ DockerName }: { DockerName: string }) => DockerName).join(" ");
    } catch (error) {
      return error instanceof AppError ? error.code : String(error);
    }
  }
  return { metadata, picture, world, ask };
}
