import { describe, expect, test } from "bun:test";
import { checkRules } from "../../../../src/commands/doctor/rules.ts";
import { AppError } from "../../../../src/errors.ts";
import { COMMANDS } from "../../../support/doctor-commands.ts";

const line = (what: string, stands: boolean) => ({ what, stands });
const seen = (lines: { what: string; stands: boolean }[], left: string[] = []) =>
  ({ kind: "seen", standing: { lines, notes: [], left } }) as const;

const UP = "run: sudo ecs-local-endpoints network up";

describe("the rules", () => {
  for (const [title, facts, state, text, remedy] of [
    ["were never made", { kind: "never" }, "ok", "was not run", undefined],
    ["may be beyond a container's wall", { kind: "elsewhere" }, "ok", "from inside of a container", undefined],
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
    ["all stand", seen([line("a", true), line("b", true)]), "ok", "all 2 things", undefined],
    ["stand with some of earlier", seen([line("a", true)], ["left over: c"]), "warning", "left over: c", UP],
    [
      "stand by half",
      seen([line("a", true), line("b", false), line("c", false)]),
      "problem",
      "by half: missing is b and 1 more",
      UP,
    ],
    ["do not stand", seen([line("a", false)]), "problem", "none of what network up made stands: missing is a", UP],
  ] as const) {
    test(`that ${title} are ${state}`, () => {
      const found = checkRules(facts, COMMANDS);
      expect(found).toMatchObject({ check: "rules", state, message: expect.stringContaining(text) });
      expect(found.remedy).toBe(remedy);
    });
  }
  test("are taken away where there can be none any more", () => {
    const { remedy } = checkRules(seen([line("a", false)]), { ...COMMANDS, networkUp: undefined });
    expect(remedy).toBe("run: sudo ecs-local-endpoints network down");
  });
});
