import type { Inspect } from "./schema.ts";
import { toTime } from "./time.ts";

/** Docker's own, for a health check that names none. */
const DEFAULT_RETRIES = 3;

export interface Health {
  readonly status: "HEALTHY" | "UNHEALTHY" | undefined;
  readonly since: string | undefined;
  readonly exitCode: number;
  readonly output: string;
}

/**
 * The values of the check at which the present status began, or of the oldest one of it in the log, which keeps five:
 * the agent takes them up only when the status changes. An exit code is of becoming unhealthy alone (task-endpoints 2.6).
 */
export function toHealth(inspect: Inspect): Health | undefined {
  const check = inspect.Config.Healthcheck;
  if (!check?.Test || check.Test.length === 0 || check.Test[0] === "NONE") return undefined;
  const health = inspect.State.Health;
  const status = { healthy: "HEALTHY", unhealthy: "UNHEALTHY" }[health?.Status ?? ""] as Health["status"];
  const log = health?.Log ?? [];
  const retries = check.Retries || DEFAULT_RETRIES;
  const began = status === "HEALTHY" ? beganHealthy(log, retries) : beganUnhealthy(log, retries, health?.FailingStreak);
  if (!status || !began) return { status, since: undefined, exitCode: 0, output: "" };
  const exitCode = status === "UNHEALTHY" ? (began.ExitCode ?? 0) : 0;
  return { status, since: toTime(began.End), exitCode, output: began.Output ?? "" };
}

type HealthLog = NonNullable<NonNullable<Inspect["State"]["Health"]>["Log"]>;

/** The first success after the last time that so many failures in a row made it unhealthy. */
function beganHealthy(log: HealthLog, retries: number): HealthLog[number] | undefined {
  let began: HealthLog[number] | undefined;
  let failures = 0;
  for (const result of log) {
    failures = result.ExitCode === 0 ? 0 : failures + 1;
    if (failures >= retries) began = undefined;
    else if (failures === 0) began ??= result;
  }
  return began ?? log[0];
}

/** The failure with which the streak became as long as it takes. */
function beganUnhealthy(log: HealthLog, retries: number, streak: number | null = null): HealthLog[number] | undefined {
  const logged = log.length - 1 - log.findLastIndex((result) => result.ExitCode === 0);
  return log[Math.max(0, log.length - 1 - Math.max(0, (streak ?? logged) - retries))];
}
