import { describe, expect, test } from "bun:test";
import { checkRules } from "../../../../src/commands/doctor/rules.ts";
import { AppError } from "../../../../src/errors.ts";
import { COMMANDS } from "../../../support/doctor-commands.ts";

const line = (what: string, stands: boolean) => ({ what, stands });
const seen = (lines: { what: string; stands: boolean }[], left: string[] = []) =>
  ({ kind: "seen", standing: { lines, notes: [], left } }) as const;

describe("the rules", () => {
  for (const [title, facts, state, text] of [
    ["were never made", { kind: "never" }, "ok", "was not run"],
    ["may be beyond a container's wall", { kind: "elsewhere" }, "ok", "from inside of a container"],
    ["cannot be seen", { kind: "unseen", why: "root only" }, "warning", "root only"],
    [
      "fail to be read",
      { kind: "failed", error: new AppError("network-failed", "no iptables") },
      "warning",
      "no iptables",
    ],
    ["all stand", seen([line("a", true), line("b", true)]), "ok", "all 2 things"],
    ["stand with some of earlier", seen([line("a", true)], ["left over: c"]), "warning", "left over: c"],
    [
      "stand by half",
      seen([line("a", true), line("b", false), line("c", false)]),
      "problem",
      "by half: missing is b and 1 more",
    ],
    ["do not stand", seen([line("a", false)]), "problem", "none of what network up made stands"],
  ] as const) {
    test(`that ${title} are ${state}`, () => {
      expect(checkRules(facts, COMMANDS)).toMatchObject({
        check: "rules",
        state,
        message: expect.stringContaining(text),
      });
    });
  }
});
