import { expect, test } from "bun:test";
import type { Engine } from "../../../src/engine/client.ts";
import { createContainerStore } from "../../../src/engine/container-store.ts";
import { createInspector } from "../../../src/engine/inspector.ts";

const silent = { debug() {}, info() {}, warning() {}, error() {}, flush() {} };

test("the end of a session gives up what is being asked for, and asks for nothing that waits its turn", async () => {
  const asked: string[] = [];
  let givenUp = 0;
  const engine: Partial<Engine> = {
    get(path, options) {
      asked.push(path);
      const { promise, reject } = Promise.withResolvers<string>();
      options?.signal?.addEventListener("abort", () => {
        givenUp += 1;
        reject(new Error("given up"));
      });
      return promise;
    },
  };
  const inspector = createInspector(engine as Engine, createContainerStore(), silent, () => {});
  const all = Array.from({ length: 50 }, (_, index) => inspector.inspect(`container-${index}`));
  await Promise.resolve();
  const begun = asked.length;
  inspector.close();
  await Promise.all(all);
  expect([begun, asked.length, givenUp]).toEqual([16, 16, 16]);
});
