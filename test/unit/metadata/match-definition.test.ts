import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { createLog } from "../../../src/log.ts";
import { containerDefinitionOf, createDefinitions } from "../../../src/metadata/match-definition.ts";
import { LABELS } from "../../../src/metadata/task.ts";
import { container } from "../../support/containers.ts";
import { definition } from "./definition-builder.ts";

const make = (name: string, labels: Record<string, string> = {}) => toContainer(container({ name, labels }));
const service = (name: string, labels: Record<string, string> = {}) =>
  make(`shop-${name}-1`, { [LABELS.project]: "proj", [LABELS.service]: name, ...labels });
const unlabelled = { family: undefined, revision: undefined };

function setup(...definitions: ReturnType<typeof definition>[]) {
  const lines: string[] = [];
  const log = createLog({ level: "debug", format: "json", write: (text) => lines.push(...text.trim().split("\n")) });
  const of = createDefinitions(() => definitions, log);
  return {
    pathOf: (...[members, labelled = unlabelled]: [Parameters<typeof of>[0], Partial<Parameters<typeof of>[1]>?]) =>
      of(members, { ...unlabelled, ...labelled })?.path,
    said: () => {
      log.flush();
      return lines.splice(0).map((line) => JSON.parse(line));
    },
  };
}

describe("a task without a family's label has the definition that names most of its members", () => {
  const shop = definition("shop", ["web", "db"]);
  const blog = definition("blog", ["web", "cache", "mail"]);
  for (const [title, members, path] of [
    ["by their services", [service("web"), service("db")], "shop.json"],
    ["by their names", [make("web"), make("cache")], "blog.json"],
    ["by their labels", [make("x", { [LABELS.containerName]: "db" })], "shop.json"],
    ["though others are in it", [service("web"), service("db"), service("mail"), service("stub")], "shop.json"],
    ["of several alike the one that lacks fewest", [service("web")], "shop.json"],
    ["and none where it names none", [make("shop"), service("stub")], undefined],
    ["and none without members", [], undefined],
  ] as const) {
    test(title, () => {
      for (const order of [
        [shop, blog],
        [blog, shop],
      ]) {
        const { pathOf, said } = setup(...order);
        expect(pathOf(members)).toBe(path);
        expect(said()).toEqual([]);
      }
    });
  }
  test("before all others the one that is called like the Compose project", () => {
    const { pathOf, said } = setup(shop, definition("proj", ["web", "x", "y"]), blog);
    expect(pathOf([service("web"), service("db")])).toBe("proj.json");
    expect(pathOf([service("other")])).toBe("proj.json");
    expect(said()).toEqual([]);
  });
  test("for containers in no task only where it names them all", () => {
    const { pathOf } = setup(shop);
    expect([pathOf([make("web")]), pathOf([make("web"), make("x")])]).toEqual(["shop.json", undefined]);
  });
  test("and what was run by hand beside a project counts only where nothing else is", () => {
    const { pathOf } = setup(shop, blog);
    const oneOff = { [LABELS.oneOff]: "True" };
    expect(pathOf([service("cache"), service("db", oneOff), service("web", oneOff)])).toBe("blog.json");
    expect(pathOf([service("db", oneOff)])).toBe("shop.json");
  });
});

test("of several that fit alike the first is taken, which is said once with the remedy", () => {
  const { pathOf, said } = setup(definition("one", ["web", "db"]), definition("two", ["web", "x"]));
  const members = [service("web")];
  expect([pathOf(members), pathOf(members)]).toEqual(["one.json", "one.json"]);
  expect(said()).toMatchObject([
    {
      level: "warning",
      container: "shop-web-1",
      path: "one.json",
      cause: "so does two.json",
      hint: expect.stringContaining("com.amazonaws.ecs.task-definition-family"),
    },
  ]);
  expect(pathOf([service("x")])).toBe("two.json");
  expect(said()).toEqual([]);
});

describe("a task that is labelled with a family", () => {
  const seven = definition("shop", ["web"], { revision: "7", path: "7.json" });
  const eight = definition("shop", ["web", "db"], { revision: "8", path: "8.json" });
  const draft = definition("draft", ["web"], { path: "draft.json" });
  const { pathOf } = setup(seven, eight, draft);
  const members = [service("web"), service("db")];
  for (const [labelled, path] of [
    [{ family: "shop" }, "8.json"],
    [{ family: "shop", revision: "7" }, "7.json"],
    [{ family: "shop", revision: "9" }, undefined],
    [{ family: "draft" }, "draft.json"],
    [{ family: "draft", revision: "3" }, "draft.json"],
    [{ family: "blog" }, undefined],
  ] as const) {
    test(`${Object.values(labelled).join(":")} has ${path ?? "none"}`, () =>
      expect(pathOf(members, labelled)).toBe(path));
  }
  test("has its definition though that names none of its members", () => {
    expect(pathOf([make("x")], { family: "draft" })).toBe("draft.json");
  });
});

describe("a container's part of a definition", () => {
  const shop = definition("shop", ["web", "db", "shop-db-1"]);
  for (const [title, facts, name] of [
    ["is found by its label", service("db", { [LABELS.containerName]: "web" }), "web"],
    ["is found by its service before its name", service("db"), "db"],
    ["is found by its name", make("shop-db-1"), "shop-db-1"],
    ["is found by its service where its label names none", service("db", { [LABELS.containerName]: "other" }), "db"],
    ["is none where nothing names it", make("webs"), undefined],
  ] as const) {
    test(title, () => expect(containerDefinitionOf(shop, facts)?.name).toBe(name as string));
  }
  test("is none without a definition", () => expect(containerDefinitionOf(undefined, make("web"))).toBeUndefined());
});
