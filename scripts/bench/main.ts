/**
 * Measures the compiled program beside a bare server that gives the same bytes: `bun run bench [--quick] [--check]`.
 * With FULL=1 the memory is taken after a million requests instead of 100,000.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { prepareBinaries } from "./binaries.ts";
import { measureIdle } from "./idle.ts";
import { measureMemory } from "./memory.ts";
import { measureRates, type Rates } from "./rates.ts";
import { isBeyond, printIdle, printMemory, printRates, printStarts, printVerdicts } from "./report.ts";
import { measureStarts } from "./start.ts";
import { verdicts } from "./targets.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, check: { type: "boolean", default: false } },
});
const plan = { rounds: 5, roundMs: values.quick ? 200 : 1_000 };
const requests = process.env.FULL === "1" ? 1_000_000 : values.quick ? 20_000 : 100_000;
const folder = mkdtempSync(join(tmpdir(), "ecs-local-bench-"));

try {
  const binaries = prepareBinaries(folder);
  const sizes: Rates[] = [];
  for (const containers of [5, 100, 1_000]) sizes.push(await measureRates(binaries, folder, containers, plan));
  printRates(sizes);
  const starts = await measureStarts(binaries, folder, 9);
  printStarts(starts);
  const memory = await measureMemory(binaries, folder, requests);
  printMemory(memory);
  const idle = await measureIdle(binaries, folder, values.quick ? 10 : 60);
  printIdle(idle);
  const judged = verdicts(sizes, starts, memory, idle);
  printVerdicts(judged);
  if (values.check && judged.some(isBeyond)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
