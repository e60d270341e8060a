import { expect, test } from "bun:test";
import { createPicture } from "../../../src/engine/container-store.ts";
import { createTaskIndex } from "../../../src/metadata/tasks.ts";
import { compose, make } from "./caller-machine.ts";

test("each container stands with its task, running or not, and those of none together", () => {
  const picture = createPicture();
  const index = createTaskIndex(picture);
  expect([...index()]).toEqual([]);
  const [web, job, blog, tea] = [
    compose("shop-web-1", "a1"),
    compose("shop-job-1", "a2", false),
    compose("blog-web-1", "b1"),
    make("tea", "c1"),
  ];
  for (const each of [web, tea, blog, job]) picture.put(each);
  expect([...index()]).toEqual([
    ["project shop", [web, job]],
    [undefined, [tea]],
    ["project blog", [blog]],
  ]);
});

test("is the same map until the picture changes, and then another", () => {
  const picture = createPicture();
  picture.put(make("tea", "c1"));
  const index = createTaskIndex(picture);
  const first = index();
  expect(index()).toBe(first);
  picture.remove("c1".padEnd(64, "0"));
  expect(index()).not.toBe(first);
  expect(index().size).toBe(0);
});
