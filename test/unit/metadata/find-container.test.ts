import { describe, expect, test } from "bun:test";
import { AMBIGUOUS, asking, callerOf, compose, HOST, MACHINE, make, member, outcome } from "./machine.ts";

describe("an identifier means", () => {
  for (const [identifier, from, expected] of [
    [member("shop-db-1").id, "host", "shop-db-1"],
    [member("shop-job-1").id, "host", "shop-job-1"],
    ["shop-db-1", "host", "shop-db-1"],
    ["shop-job-1", "shop-web-1", "shop-job-1"],
    ["cafe", "host", "cafe"],
    ["cafe0", "host", "tea"],
    ["CAFE", "host", "tea"],
    ["db", "host", "shop-db-1"],
    ["db0", "host", "ink"],
    ["api", "host", "blog-api-1"],
    ["api-g", "host", "api-gateway"],
    ["app", "host", "ecs-pay-7-front-c2e5"],
    ["job", "host", "shop-job-1"],
    ["web", "shop-web-1", "shop-web-1"],
    ["web", "shop-db-1", "shop-web-1"],
    ["web", "blog-api-1", "blog-web-1"],
    ["api", "shop-web-1", "blog-api-1"],
    ["a2", "host", "shop-db-1"],
    ["hop-d", "host", "shop-db-1"],
    ["shop", "shop-db-1", "shop-db-1"],
    ["ap", "blog-web-1", "blog-api-1"],
    ["ap", "api-gateway", "api-gateway"],
    ["ap", "host", AMBIGUOUS("ap", "api-gateway, blog-api-1")],
    ["ap", "ink", AMBIGUOUS("ap", "api-gateway, blog-api-1")],
    ["web", "host", AMBIGUOUS("web", "blog-web-1, shop-web-1")],
    ["web", "ink", AMBIGUOUS("web", "blog-web-1, shop-web-1")],
    ["feed", "host", AMBIGUOUS("feed", "feeder, hay")],
    ["feed", "shop-web-1", AMBIGUOUS("feed", "feeder, hay")],
    ["shop", "host", AMBIGUOUS("shop", "shop-db-1, shop-job-1, shop-web-1")],
  ] as const) {
    test(`${identifier.slice(0, 12)}, asked by ${from}, is ${expected.replace(/;.*/, "")}`, () => {
      expect(outcome(MACHINE, identifier, from === "host" ? HOST : asking(from))).toBe(expected);
    });
  }

  for (const identifier of [
    "none",
    "SHOP-DB-1",
    "web ",
    "shop-db-12",
    "x0",
    "/shop-db-1",
    `${"a2".padEnd(64, "0")}0`,
  ]) {
    test(`'${identifier.slice(0, 12)}' is not a container, and those that run are listed`, () => {
      const names = MACHINE.filter(({ running }) => running).map(({ name }) => name);
      const ten = names.sort().slice(0, 10);
      expect(outcome(MACHINE, identifier)).toBe(
        `container-unknown: No container has '${identifier}' as its id, name or service; ` +
          `running are: ${ten.join(", ")} and 1 more`,
      );
    });
  }
});

test("an exact id wins over a container that is named like it", () => {
  const named = make("a1".padEnd(64, "0"), "f1");
  expect(outcome([named, ...MACHINE], named.name)).toBe("shop-web-1");
});

test("an exact name wins over a service of that name", () => {
  expect(outcome([make("db", "f1"), ...MACHINE], "db", asking("shop-web-1"))).toBe("db");
});

test("a running container of a service comes before its stopped ones", () => {
  const replicas = [compose("shop-worker-1", "e1", false), compose("shop-worker-2", "e2")];
  expect(outcome([...MACHINE, ...replicas], "worker", asking("blog-web-1"))).toBe("shop-worker-2");
});

test("an empty identifier is not a container, where one only runs too", () => {
  for (const all of [MACHINE, [make("web", "a1")], [make("web", "a1", { "com.docker.compose.service": "" })], []]) {
    for (const caller of [HOST, asking("shop-web-1")]) {
      expect(outcome(all, "", caller)).toStartWith("container-unknown: No container has '' as its id, name or service");
    }
  }
});

test("two stopped containers of a service are ambiguous", () => {
  const replicas = [compose("shop-worker-1", "e1", false), compose("shop-worker-2", "e2", false)];
  expect(outcome([...MACHINE, ...replicas], "worker")).toBe(AMBIGUOUS("worker", "shop-worker-1, shop-worker-2"));
});

test("of two replicas of a service in the caller's task the caller is meant if it is one of them", () => {
  const two = compose("shop-web-2", "e1");
  expect(outcome([...MACHINE, two], "web", callerOf(two))).toBe("shop-web-2");
  expect(outcome([...MACHINE, two], "web", asking("shop-db-1"))).toBe(
    AMBIGUOUS("web", "blog-web-1, shop-web-1, shop-web-2"),
  );
});

test("an error lists ten containers and counts the others", () => {
  const many = Array.from({ length: 12 }, (_, index) => make(`box-${String(index).padStart(2, "0")}`, `e${index}`));
  const ten = many.slice(0, 10).map(({ name }) => name);
  expect(outcome(many, "box")).toBe(AMBIGUOUS("box", `${ten.join(", ")} and 2 more`));
  expect(outcome(many.slice(0, 10), "none")).toEndWith(`; running are: ${ten.join(", ")}`);
});

test("an error says so when no container runs", () => {
  expect(outcome([compose("shop-web-1", "a1", false)], "none")).toEndWith("; no container is running");
});

test("an identifier of any length makes a short error", () => {
  expect(outcome([], "x".repeat(100_000))).toBe(
    `container-unknown: No container has '${"x".repeat(80)}…' as its id, name or service; no container is running`,
  );
  expect(outcome([], "x".repeat(80))).toContain(`'${"x".repeat(80)}'`);
});
