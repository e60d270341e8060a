import type { IdlePair } from "./idle.ts";
import type { MemoryRow } from "./memory.ts";
import type { Rates } from "./rates.ts";
import type { Starts } from "./start.ts";

/** A target of the design, and what was seen. */
export interface Verdict {
  readonly what: string;
  readonly seen: number;
  readonly target: number;
  readonly atLeast: boolean;
}

const SLACK = 1.25;

export function isBeyond({ seen, target, atLeast }: Verdict): boolean {
  return atLeast ? seen * SLACK < target : seen > target * SLACK;
}

export function printRates(sizes: readonly Rates[]): void {
  const rows = sizes.flatMap(({ rates }) =>
    rates.flatMap(({ what, containers, bodyBytes, ours, bare, efficiency }) => {
      const cells = (of: typeof ours) => [
        Math.round(of.requests / of.seconds).toLocaleString("en"),
        of.p50Ms.toFixed(3),
        of.p99Ms.toFixed(3),
        of.cpuUsPerRequest.toFixed(1),
      ];
      const bytes = bodyBytes.toLocaleString("en");
      return [
        [String(containers), what, bytes, "ours", ...cells(ours), efficiency.toFixed(2)],
        ["", "", "", "bare", ...cells(bare), ""],
      ];
    }),
  );
  const head = ["containers", "body", "bytes", "server", "req/s", "p50 ms", "p99 ms", "CPU us/req", "bare/ours"];
  printTable(head, rows);
  for (const { rates, engineCalls, stsCalls } of sizes) {
    const calls = Object.entries(stsCalls).map(([action, count]) => `${count} ${action}`);
    const { containers } = rates[0] ?? { containers: 0 };
    console.log(
      `${containers} containers: ${engineCalls} engine calls under load; STS in all: ${calls.join(", ") || "none"}`,
    );
  }
}

export function printStarts({ bareMs, offlineMs, flagMs, containerMs, credentialsMs }: Starts): void {
  const row = (what: string, ms: number) => [what, ms.toFixed(1), ms === bareMs ? "" : `+${(ms - bareMs).toFixed(1)}`];
  printTable(
    ["start to first answer", "ms", "over bare"],
    [
      row("bare", bareMs),
      row("ECS_LOCAL_OFFLINE=1, /creds", offlineMs),
      row("--offline, /creds", flagMs),
      row("ECS_LOCAL_OFFLINE=1, a container of 5", containerMs),
      row("/creds by STS", credentialsMs),
    ],
  );
}

export function printMemory(rows: readonly MemoryRow[]): void {
  const cells = (of: MemoryRow["ours"]) =>
    [of.rssMb, of.privateMb, of.dirtyMb, of.anonymousMb].map((mb) => mb.toFixed(1));
  printTable(
    ["memory in MB", "server", "RSS", "private", "of it dirty", "anonymous"],
    rows.flatMap(({ when, ours, bare }) => [
      [when, "ours", ...cells(ours)],
      ["", "bare", ...cells(bare)],
    ]),
  );
}

export function printIdle(idle: IdlePair): void {
  const row = (server: "ours" | "bare") => {
    const { wakeUpsPerSecond, cpuMsPerSecond } = idle[server];
    return [server, wakeUpsPerSecond.toFixed(1), cpuMsPerSecond.toFixed(2)];
  };
  printTable(["idle, 20 containers", "wake-ups a second", "CPU ms a second"], [row("ours"), row("bare")]);
}

export function printVerdicts(verdicts: readonly Verdict[]): void {
  printTable(
    ["target", "seen", "must be", ""],
    verdicts.map((verdict) => {
      const { what, seen, target, atLeast } = verdict;
      const met = atLeast ? seen >= target : seen <= target;
      const word = met ? "met" : isBeyond(verdict) ? "missed by more than 25 %" : "missed";
      return [what, seen.toFixed(2), `${atLeast ? ">=" : "<="} ${target}`, word];
    }),
  );
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const isNumber = (text: string) => /^[+-]?[\d.,]+$/.test(text);
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) =>
      isNumber(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    );
  console.log(`\n${line(head).join("  ").trimEnd()}\n${widths.map((width) => "-".repeat(width)).join("  ")}`);
  for (const row of rows) console.log(line(row).join("  ").trimEnd());
}
