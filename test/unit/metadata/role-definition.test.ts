import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import type { AppError } from "../../../src/errors.ts";
import { roleDefinitionOf } from "../../../src/metadata/match-definition.ts";
import { LABELS } from "../../../src/metadata/task.ts";
import { container } from "../../support/containers.ts";
import { definition } from "./definition-builder.ts";

const make = (name: string, labels: Record<string, string> = {}) => toContainer(container({ name, labels }));
const service = (project: string, name: string, labels: Record<string, string> = {}) =>
  make(`${project}-${name}-1`, { [LABELS.project]: project, [LABELS.service]: name, ...labels });
const family = (name: string, revision?: string) => ({
  [LABELS.family]: name,
  ...(revision && { [LABELS.revision]: revision }),
});

const narrow = definition("narrow", ["web"], { taskRole: "narrow" });
const wide = definition("wide", ["web", "db"], { taskRole: "wide" });
const shop = definition("shop", ["web"], { taskRole: "shop" });
const low1 = definition("low", ["job"], { taskRole: "low1", revision: "1", path: "low1.json" });
const low2 = definition("low", ["job"], { taskRole: "low2", revision: "2", path: "low2.json" });
const admin = definition("admin", ["alpha"], { taskRole: "admin" });

/** The role of the definition, or the error's text. */
function roleOf(
  definitions: ReturnType<typeof definition>[],
  asking = make("x"),
  others = [asking],
): string | undefined {
  try {
    return roleDefinitionOf(definitions, asking, () => others).taskRole;
  } catch (error) {
    return (error as AppError).sentence;
  }
}

describe("a container has the role of", () => {
  for (const [title, definitions, asking, role] of [
    ["the definition that names it", [admin, narrow], make("web"), "narrow"],
    ["that of its own label's family, whatever names it", [admin, narrow], make("web", family("admin")), "admin"],
    ["that of its own label's revision", [low1, low2], make("job", family("low", "2")), "low2"],
    ["that called like its project", [narrow, wide, shop], service("shop", "web"), "shop"],
    ["all that name it, where they are one", [narrow, { ...wide, taskRole: "narrow" }], make("web"), "narrow"],
    ["that, though it names others alone", [narrow, shop], service("shop", "mail"), "shop"],
  ] as const) {
    test(title, () => expect(roleOf([...definitions], asking)).toBe(role as string));
  }
});

const NONE = /^No task definition given is that of /;

describe("what others run gives no role", () => {
  const others = [make("alpha", family("admin")), make("plain"), service("shop", "db"), service("shop", "web")];
  test("to a loose container, labelled or not", () => {
    expect(roleOf([admin, low1], make("plain"), others)).toMatch(NONE);
    expect(roleOf([admin, low1], make("job", family("low")), others)).toBe("low1");
  });
  test("to a container of a project, while the others are there and when they are gone", () => {
    const helper = service("blog", "mail");
    for (const known of [[helper, service("blog", "web")], [helper]])
      expect(roleOf([narrow], helper, known)).toMatch(NONE);
  });
  test("to one that two definitions with different roles name", () => {
    const text =
      /fits the task definitions narrow.json and wide.json alike, which have different roles; give the container the label com.amazonaws.ecs.task-definition-family$/;
    for (const known of [[], others]) expect(roleOf([narrow, wide], service("blog", "web"), known)).toMatch(text);
  });
});

describe("a container has no role", () => {
  test("where any of three definitions has another", () => {
    const same = definition("b", ["web"], { taskRole: "narrow" });
    expect(roleOf([narrow, same, wide], make("web"))).toContain("narrow.json and wide.json alike");
  });
  test("where its label's family has revisions with different ones, and is told which label is lacking", () => {
    expect(roleOf([low1, low2], make("job", family("low")))).toEndWith(
      "label com.amazonaws.ecs.task-definition-version",
    );
  });
  test("where its labels' family or revision has no file", () => {
    expect(roleOf([shop], make("web", family("shpo")))).toMatch(NONE);
    expect(roleOf([low1], make("job", family("low", "9")))).toMatch(NONE);
    expect(roleOf([low1], make("job", { [LABELS.revision]: "9" }))).toMatch(NONE);
  });
  test("where none names it, and is told the remedy", () => {
    for (const each of [make("web"), service("shop2", "page")]) expect(roleOf([admin], each)).toMatch(NONE);
    expect(roleOf([admin])).toEndWith("or ask for /role/<name>");
  });
  test("where a member of its task is labelled with another family", () => {
    const db = service("pay", "db");
    const page = service("pay", "page", family("blog"));
    const payDb = definition("pay-db", ["db"], { taskRole: "pay" });
    expect(roleOf([payDb], db, [db, page])).toContain("pay-page-1 of its task is labelled 'blog'");
    expect(roleOf([payDb], db, [db, service("shop", "page", family("blog"))])).toBe("pay");
  });
});

test("a one-off of a project has the role of its service, whoever else runs", () => {
  const job = service("shop", "web", { "com.docker.compose.oneoff": "True" });
  expect(roleOf([narrow], job)).toBe("narrow");
});
