import { describe, expect, test } from "bun:test";
import type { Caller } from "../../../src/metadata/find-container.ts";
import { asking, compose, HOST, MACHINE, outcome } from "./caller-machine.ts";

describe("a container of the caller's task comes first", () => {
  const job = compose("blog-job-1", "e1");
  for (const [title, identifier] of [
    ["by its service", "job"],
    ["by a part of its name", "-job"],
  ] as const) {
    test(`${title}, stopped before a running one of another task`, () => {
      expect(outcome([...MACHINE, job], identifier, asking("shop-web-1"))).toBe("shop-job-1");
      expect(outcome([...MACHINE, job], identifier, asking("blog-web-1"))).toBe("blog-job-1");
      for (const other of [HOST, asking("ink")]) {
        expect(outcome([...MACHINE, job], identifier, other)).toBe("blog-job-1");
      }
    });
  }
  test("and of these one that runs", () => {
    const again = compose("shop-job-2", "e2");
    expect(outcome([...MACHINE, job, again], "job", asking("shop-web-1"))).toBe("shop-job-2");
  });
  test("and of those that run the caller", () => {
    const [web2, web3] = [compose("shop-web-2", "e2"), compose("shop-web-3", "e3", false)];
    const caller: Caller = { kind: "container", container: web2 };
    expect(outcome([...MACHINE, web2, web3], "web", caller)).toBe("shop-web-2");
    expect(outcome([...MACHINE, web2, web3], "shop", caller)).toBe("shop-web-2");
  });
  test("but a better match of another task before it", () => {
    expect(outcome([...MACHINE, job], "blog-job-1", asking("shop-web-1"))).toBe("blog-job-1");
    expect(outcome(MACHINE, "api", asking("shop-web-1"))).toBe("blog-api-1");
  });
});
