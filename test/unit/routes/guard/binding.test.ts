import { expect, test } from "bun:test";
import { toContainer } from "../../../../src/engine/container.ts";
import { createPicture } from "../../../../src/engine/picture.ts";
import { createBinding } from "../../../../src/routes/guard/binding.ts";
import { container } from "../../../support/containers.ts";
import { network, withNetwork } from "../../../support/networks.ts";

const bridge = network({ name: "n", subnet: "127.0.7.0/24", gateway: "127.0.7.1" });

function start(labels: Record<string, string>) {
  const picture = createPicture();
  const web = toContainer(withNetwork(container({ name: "web", labels }), bridge, { ipv4: "127.0.7.2" }));
  picture.put(web);
  const waiting = Promise.withResolvers<undefined>();
  const binding = createBinding({
    inventory: {
      picture,
      engine: () => ({}) as never,
      ready: async () => 0,
      atAddress: (address) => picture.claimants(address)[0],
      waitForAddress: () => waiting.promise,
    },
    isHost: (address) => address.startsWith("127."),
  });
  return { picture, web, binding, waiting };
}

test("a container that has the host's address is a container", async () => {
  const { binding } = start({ "ecs-local.role": "web" });
  expect(await binding("127.0.7.2")).toMatchObject({ id: "web" });
  expect(binding("127.0.0.1")).toBeUndefined();
});

test("a caller who was waited for is bound to nothing once the label has gone meanwhile", async () => {
  const { binding, picture, web, waiting } = start({ "ecs-local.role": "web" });
  const asked = binding("203.0.113.9");
  expect(asked).toBeInstanceOf(Promise);
  picture.remove(web.id);
  waiting.resolve(undefined);
  expect(await asked).toBeUndefined();
});

test("where nobody has the label it is answered at once", () => {
  expect(start({}).binding("203.0.113.9")).toBeUndefined();
});
