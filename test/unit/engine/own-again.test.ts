import { expect, test } from "bun:test";
import { createClaims } from "../../../src/engine/claims.ts";
import { toContainer } from "../../../src/engine/container.ts";
import { createPicture } from "../../../src/engine/container-store.ts";
import { container } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

// Our own addresses change without a word of the engine: what follows from them is looked at again within a second.
const ours = network({ name: "ours", subnet: "10.9.0.0/24", gateway: "10.9.0.1" });
const theirs = network({ name: "theirs", subnet: "10.9.0.0/24", gateway: "10.9.0.1" });
const own = toContainer(withNetwork(container({ name: "own" }), ours, { ipv4: "10.9.0.2" }));
const foreign = toContainer(withNetwork(container({ name: "foreign" }), theirs, { ipv4: "10.9.0.5" }));

test("which container is our own is found again when it has got another address", async () => {
  let isKnown = false;
  const isOwn = ({ id }: { id: string }) => isKnown && id === own.id;
  const picture = createPicture(isOwn);
  for (const each of [own, foreign]) picture.put(each);
  const subnets = ["10.9.0.0/24"];
  picture.setNetworks([ours, theirs].map(({ Id, Name }) => ({ id: Id, name: Name, subnets, gateways: [] })));
  const { of: claimant } = createClaims(picture, isOwn);
  expect(claimant("10.9.0.5")).toBe(foreign);
  picture.setElsewhere(true);
  expect(picture.isElsewhere()).toBe(true);
  isKnown = true;
  await Bun.sleep(1_050);
  expect(picture.isElsewhere()).toBe(false);
  picture.setElsewhere(false);
  expect(claimant("10.9.0.5")).toBeUndefined();
});
