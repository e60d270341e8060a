import { expect, test } from "bun:test";
import { join } from "node:path";
import { CHECKS, failed, finding, toJson, toText } from "../../../../src/commands/doctor/finding.ts";
import { AppError } from "../../../../src/errors.ts";

test("each finding is one line, whatever its texts are", () => {
  const findings = [
    finding("engine", "ok", "found\n\x1b[31mred"),
    finding("two-endpoints", "warning", "both", "remove\none"),
  ];
  expect(toText(findings)).toBe(
    "ok       engine         found [31mred\nwarning  two-endpoints  both; remove one\n0 problems, 1 warning\n",
  );
  expect(JSON.parse(toJson(findings))).toEqual([
    { check: "engine", state: "ok", message: "found [31mred" },
    { check: "two-endpoints", state: "warning", message: "both", remedy: "remove one" },
  ]);
});

test("a check that failed says our error with its hint, and of any other its kind alone", () => {
  const error = new AppError("engine-refused", "it refused", { hint: "ask again" });
  expect(failed("engine", "problem", error, "start it")).toMatchObject({ message: "it refused", remedy: "ask again" });
  const plain = new AppError("engine-refused", "it refused");
  expect(failed("engine", "problem", plain, "start it")).toMatchObject({ remedy: "start it" });
  const other = failed("engine", "problem", new TypeError("quotes a secret"));
  expect(JSON.stringify(other)).not.toContain("none");
  expect(other.message).toContain("TypeError");
});

const ROOT = join(import.meta.dir, "../../../..");

test("each row that is not ok is named by a test of those that provoke findings and apply remedies", async () => {
  const titles = await Promise.all(
    ["integration/doctor", "e2e/doctor", "e2e/doctor-machine"].map((name) =>
      Bun.file(join(ROOT, `test/${name}.test.ts`)).text(),
    ),
  );
  const all = Object.entries(CHECKS).flatMap(([check, states]) => states.map((state) => `${check} (${state})`));
  const rows = all.filter((row) => !row.endsWith("(ok)"));
  expect(rows.filter((row) => !titles.some((text) => text.includes(row)))).toEqual([]);
});

test("docs/doctor.md has a row for each state of each check, and no other", async () => {
  const text = await Bun.file(join(ROOT, "docs/doctor.md")).text();
  const rows = [...text.matchAll(/^\| ([\w-]+) \| (ok|warning|problem) \| .+ \| (.*)\|$/gm)];
  const expected = Object.entries(CHECKS).flatMap(([check, states]) => states.map((state) => `${check} ${state}`));
  expect(rows.map(([, check, state]) => `${check} ${state}`)).toEqual(expected);
  for (const [row, , state, remedy = ""] of rows) expect(remedy.trim() !== "", row).toBe(state !== "ok");
});
