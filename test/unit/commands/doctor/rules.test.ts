import { describe, expect, test } from "bun:test";
import { checkRules } from "../../../../src/commands/doctor/rules.ts";
import { AppError } from "../../../../src/errors.ts";
import { COMMANDS } from "../../../support/doctor-commands.ts";

const line = (what: string, exists: boolean) => ({ what, exists });
const seen = (lines: { what: string; exists: boolean }[], left: string[] = []) =>
  ({ kind: "seen", status: { lines, left } }) as const;

const UP = "run: sudo ecs-local-endpoints network up";

describe("the rules", () => {
  for (const [title, facts, state, text, remedy] of [
    ["were never added", { kind: "never" }, "ok", "was not run", undefined],
    ["cannot be seen from a container", { kind: "elsewhere" }, "ok", "from inside a container", undefined],
    [
      "cannot be seen",
      { kind: "unseen", why: "root only" },
      "warning",
      "root only",
      "to see them, run: sudo -E ecs-local-endpoints doctor",
    ],
    [
      "fail to be read",
      { kind: "failed", error: new AppError("network-failed", "no iptables", { hint: "install it" }) },
      "warning",
      "no iptables",
      "install it",
    ],
    ["are complete", seen([line("a", true), line("b", true)]), "ok", "complete: 2 of 2", undefined],
    ["are complete with some left over", seen([line("a", true)], ["c"]), "warning", "left over from network up: c", UP],
    [
      "are incomplete",
      seen([line("a", true), line("b", false), line("c", false)]),
      "problem",
      "incomplete: 2 of 3 are missing, first: b",
      UP,
    ],
    ["are missing", seen([line("a", false)]), "problem", "incomplete: 1 of 1 are missing, first: a", UP],
  ] as const) {
    test(`that ${title} are ${state}`, () => {
      const found = checkRules(facts, COMMANDS);
      expect(found).toMatchObject({ check: "rules", state, message: expect.stringContaining(text) });
      expect(found.remedy).toBe(remedy);
    });
  }
  test("are removed on a machine that cannot have them", () => {
    const { remedy } = checkRules(seen([line("a", false)]), { ...COMMANDS, networkUp: undefined });
    expect(remedy).toBe("run: sudo ecs-local-endpoints network down");
  });
});
