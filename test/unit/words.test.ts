import { expect, test } from "bun:test";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/** Each with what to write instead. */
const PRIVATE_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bpictures?\b/i, "store, snapshot"],
  [/\bclaims\b|\bclaimants?\b|\bisDisputed\b/i, "address owner, several owners"],
  [/\bsharers?\b/i, "shared network namespace"],
  [/\battachments?\b/i, "endpoint"],
  [/\bsurroundings\b/i, "running containers"],
  [/\bisElsewhere\b|\bhasLateEvents\b/, "addressesAreLocal, needsCatchUp"],
  [/\buntold\b|\bacquaintances?\b/i, "inspectFailed, known caller"],
  [/\bwireEnd\b|\bendOf\b|\bsetOf\b/, "wireExpiration, parseExpiration, parseCredentials"],
  [/\bcountdown\b|\bfingerprints?\b/i, "remaining, version"],
  [/\bstrangers?\b/i, "unknown caller, foreign rules"],
  [/\bnobody\b/i, "no caller, no server"],
  [/\brehearse|\btakeTurn\b/, "dryRun, acquireLock"],
  [/(?<![Tt]here )\bis no (?!longer|more|other|less|better|such|need|reason|data)[a-z]+/, "is not a"],
];

test("the project speaks in common words", async () => {
  const found: string[] = [];
  for (const pattern of ["src/**/*.ts", "test/**/*.{ts,md}", "docs/*.md", "*.md"]) {
    for (const path of new Bun.Glob(pattern).scanSync({ cwd: ROOT })) {
      if (path === "test/unit/words.test.ts") continue;
      const lines = (await Bun.file(join(ROOT, path)).text()).split("\n");
      for (const [index, line] of lines.entries()) {
        for (const [word, instead] of PRIVATE_WORDS) {
          const match = word.exec(line);
          if (match) found.push(`${path}:${index + 1}: '${match[0]}': write ${instead}`);
        }
      }
    }
  }
  expect(found).toEqual([]);
});
