import { afterEach, expect, test } from "bun:test";
import { readProduct, readRunningContainers } from "../../../../src/commands/doctor/running-containers.ts";
import { createEngine } from "../../../../src/engine/client.ts";
import { container } from "../../../support/containers.ts";
import { startFakeEngine } from "../../../support/fake-engine.ts";
import { network, withNetwork } from "../../../support/networks.ts";
import { secret } from "../../../support/secrets.ts";

let stop: () => Promise<void> = async () => {};
afterEach(() => stop());

async function start(options: Parameters<typeof startFakeEngine>[0]) {
  const fake = startFakeEngine(options);
  stop = fake.stop;
  const engine = await createEngine(
    { target: fake.host, base: "http://e", init: { unix: fake.socketPath } },
    undefined,
  );
  return { fake, engine };
}

const signal = () => AbortSignal.timeout(2_000);

test("of a container's variables the names are kept, and values of the two of metadata alone", async () => {
  const value = secret("value-of-a-variable");
  const env = [
    "AWS_ACCESS_KEY_ID=",
    `TOKEN=${value}`,
    "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v3?a=b",
    "BARE",
  ];
  const shop = network({ name: "shop", subnet: "10.1.0.0/16", gateway: "10.1.0.1" });
  const web = withNetwork(container({ name: "web", image: "app:1", env }), shop, { ipv4: "10.1.0.9" });
  const { engine } = await start({ containers: [web], networks: [shop] });
  const { containers, unread } = await readRunningContainers(engine, signal());
  const [found, ...others] = containers;
  expect([...others, ...unread]).toBeEmpty();
  expect(found).toMatchObject({
    name: "web",
    image: "app:1",
    networkMode: "shop",
    networks: [{ name: "shop", ipv4: "10.1.0.9" }],
  });
  expect([...(found?.variables ?? [])]).toEqual(["TOKEN", "ECS_CONTAINER_METADATA_URI_V4", "BARE"]);
  expect([...(found?.endpoints ?? [])]).toEqual([["ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v3?a=b"]]);
  expect(Bun.inspect(found, { depth: 9 })).not.toContain(value);
});

test("many are read, by name, without those that are gone meanwhile", async () => {
  const containers = Array.from({ length: 40 }, (_, at) => container({ name: `c${String(at).padStart(2, "0")}` }));
  const { fake, engine } = await start({ containers });
  fake.faults.inspect404(containers[3]?.Id ?? "");
  const found = await readRunningContainers(engine, signal());
  const names = containers.map(({ Name }) => Name.slice(1)).filter((name) => name !== "c03");
  expect(found.containers.map(({ name }) => name)).toEqual(names);
  expect(found.unread).toBeEmpty();
});

test("of those that the engine does not show, the name and its error", async () => {
  const containers = ["a", "b", "c", "d"].map((name) => container({ name }));
  const { fake, engine } = await start({ containers });
  const [, b, c] = containers.map(({ Id }) => Id);
  fake.faults.inspect500(b ?? "");
  fake.faults.garbage = (path) => path.includes(c ?? "");
  const { containers: found, unread } = await readRunningContainers(engine, signal());
  expect(found.map(({ name }) => name)).toEqual(["a", "d"]);
  expect(unread).toMatchObject([
    { name: "b", error: { code: "engine-refused", publicMessage: expect.stringContaining(" answered 500 for ") } },
    { name: "c", error: { code: "engine-bad-answer" } },
  ]);
});

test("an engine that shows none of those that it lists has failed", async () => {
  const one = container({ name: "one" });
  const { fake, engine } = await start({ containers: [one] });
  fake.faults.inspect500(one.Id);
  await expect(readRunningContainers(engine, signal())).rejects.toMatchObject({ code: "engine-refused" });
});

test("an engine is told by its name and version", async () => {
  const { engine } = await start({});
  expect(await readProduct(engine)).toBe("Docker 29.0.0");
  await stop();
  const podman = await start({ lateEventsMs: 1 });
  expect(await readProduct(podman.engine)).toStartWith("Podman ");
});
