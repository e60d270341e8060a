import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** What a terminal, or who ends a program, sends. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Whether the user wants it ended. */
interface Interrupt {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** Resolves at the first signal with the exit code that a shell has for it: 130 for Ctrl-C. */
  readonly code: Promise<number>;
  /** Gives the signals back. */
  readonly done: () => void;
}

/**
 * Takes the signals that would end the program, which then ends once what it started is gone, or at once at the second. One
 * that it was started to ignore, as SIGHUP by nohup, it ignores.
 */
export function takeInterrupts(): Interrupt {
  const ended = new AbortController();
  const { promise: code, resolve } = Promise.withResolvers<number>();
  const end = (name: (typeof SIGNALS)[number]) => {
    const of = 128 + constants.signals[name];
    if (ended.signal.aborted) process.exit(of);
    ended.abort();
    resolve(of);
  };
  const ignored = ignoredSignals();
  const taken = SIGNALS.filter((name) => ((ignored >> BigInt(constants.signals[name] - 1)) & 1n) === 0n);
  for (const name of taken) process.on(name, end);
  const done = () => {
    for (const name of taken) process.off(name, end);
  };
  return { signal: ended.signal, code, done };
}

/** A bit for each signal that is ignored, the lowest for signal 1. None outside of Linux, where it cannot be read. */
function ignoredSignals(): bigint {
  try {
    const [, mask = "0"] = /^SigIgn:\s*([\da-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return BigInt(`0x${mask}`);
  } catch {
    return 0n;
  }
}
