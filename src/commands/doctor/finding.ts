import { AppError } from "../../errors.ts";

/** Every check, and the states that it can come to. docs/doctor.md has a row for each pair. */
export const CHECKS = {
  engine: ["ok", "warning", "problem"],
  identity: ["ok", "warning", "problem"],
  clock: ["ok", "warning", "problem"],
  port: ["ok", "problem"],
  address: ["ok", "warning", "problem"],
  rules: ["ok", "warning", "problem"],
  reach: ["ok", "warning", "problem"],
  subnets: ["ok", "problem"],
  "hidden-endpoint": ["ok", "warning", "problem"],
  "two-endpoints": ["ok", "warning"],
  "no-route": ["ok", "problem"],
  "metadata-version": ["ok", "warning"],
} as const;

export type Check = keyof typeof CHECKS;
export type State = "ok" | "warning" | "problem";

/** What one check found, in one line. No value of a secret variable is ever in it. */
export interface Finding {
  readonly check: Check;
  readonly state: State;
  readonly message: string;
  readonly remedy?: string;
}

/** A finding of a state that the check can come to, in one line whatever the texts are. */
export function finding<C extends Check>(
  check: C,
  state: (typeof CHECKS)[C][number],
  message: string,
  remedy?: string,
): Finding {
  return { check, state, message: oneLine(message), ...(remedy !== undefined && { remedy: oneLine(remedy) }) };
}

/** The finding of a check that failed: an error of ours says what and what to do, any other only its kind. */
export function failed<C extends Check>(
  check: C,
  state: Exclude<(typeof CHECKS)[C][number], "ok">,
  error: unknown,
  remedy?: string,
): Finding {
  if (error instanceof AppError) return finding(check, state, error.publicMessage, error.hint ?? remedy);
  const kind = error instanceof Error ? error.name : "unknown";
  return finding(check, state, `the check itself failed (${kind})`, "run doctor again, and report this");
}

/** One line a finding, then how many of each. */
export function toText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, state, message, remedy }) =>
    [state.padEnd(7), check.padEnd(width), remedy === undefined ? message : `${message}; ${remedy}`].join("  "),
  );
  const count = (state: State) => findings.filter((one) => one.state === state).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  return [
    ...lines,
    `${problems} problem${problems === 1 ? "" : "s"}, ${warnings} warning${warnings === 1 ? "" : "s"}\n`,
  ].join("\n");
}

/** The same for programs. */
export function toJson(findings: readonly Finding[]): string {
  return `${JSON.stringify(findings, undefined, 2)}\n`;
}

/** A text of the engine, of AWS or of a container's author neither ends a line nor moves the terminal's cursor. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
