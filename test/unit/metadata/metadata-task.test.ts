import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { container } from "../../support/containers.ts";
import { withNetwork } from "../../support/networks.ts";
import { member, net, setup } from "./metadata-machine.ts";

describe("a task is the same whoever asked first", () => {
  const FAMILY = "com.amazonaws.ecs.task-definition-family";
  const documents = ["10.0.0.9", "127.0.0.1", "10.0.0.9"];
  for (const addresses of [documents, documents.toReversed(), ["127.0.0.1", "10.0.0.9"]]) {
    test(`${addresses.join(", then ")}: a container of no task, or the host`, async () => {
      const { metadata, picture } = setup();
      const alone = container({ name: "alone", labels: { [FAMILY]: "own" } });
      picture.put(toContainer(withNetwork(alone, net, { ipv4: "10.0.0.9" })));
      const answers: string[] = [];
      for (const address of addresses) answers.push(await metadata("task", undefined, address));
      expect(new Set(answers).size).toBe(1);
      expect(JSON.parse(answers[0] ?? "").Family).toBe("own");
    });
  }
  test("its members with labels of their own", async () => {
    for (const ids of [
      ["web", "db"],
      ["db", "web"],
    ]) {
      const { metadata, picture } = setup();
      for (const id of ids) {
        const { labels, ...facts } = member("shop", id, id === "web" ? "10.0.0.2" : "10.0.0.3");
        picture.put({ ...facts, labels: { ...labels, [FAMILY]: id } });
      }
      for (const id of ids) {
        const body = await metadata("task", id, "10.0.0.2");
        expect(JSON.parse(body).Family).toBe("db");
      }
    }
  });
});

test("a container has the labels of its task, by any way of asking", async () => {
  const { metadata, picture } = setup();
  const { labels, ...facts } = member("shop", "web", "10.0.0.2");
  picture.put({ ...facts, labels: { ...labels, "com.amazonaws.ecs.task-definition-family": "own" } });
  const own = await metadata("container", undefined, "10.0.0.3");
  expect(JSON.parse(own).Labels["com.amazonaws.ecs.task-definition-family"]).toBe("own");
  expect(await metadata("container", "db", "127.0.0.1")).toBe(own);
  expect(await metadata("task", undefined, "10.0.0.3")).toContain(own);
});
