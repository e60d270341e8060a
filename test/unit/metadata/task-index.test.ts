import { expect, test } from "bun:test";
import { createContainerStore } from "../../../src/engine/container-store.ts";
import { createTaskIndex } from "../../../src/metadata/tasks.ts";
import { compose, make } from "./machine.ts";

test("each container stands with its task, running or not, and those of none together", () => {
  const store = createContainerStore();
  const index = createTaskIndex(store);
  expect([...index()]).toEqual([]);
  const [web, job, blog, tea] = [
    compose("shop-web-1", "a1"),
    compose("shop-job-1", "a2", false),
    compose("blog-web-1", "b1"),
    make("tea", "c1"),
  ];
  for (const each of [web, tea, blog, job]) store.put(each);
  expect([...index()]).toEqual([
    ["project shop", [web, job]],
    [undefined, [tea]],
    ["project blog", [blog]],
  ]);
});

test("is the same map until the store changes, and then another", () => {
  const store = createContainerStore();
  store.put(make("tea", "c1"));
  const index = createTaskIndex(store);
  const first = index();
  expect(index()).toBe(first);
  store.remove("c1".padEnd(64, "0"));
  expect(index()).not.toBe(first);
  expect(index().size).toBe(0);
});
