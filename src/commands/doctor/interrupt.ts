import { constants } from "node:os";

/** What a terminal, or who ends a program, sends. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Whether the user wants it ended. */
export interface Interrupt {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** Resolves at the first signal with the exit code that a shell has for it: 130 for Ctrl-C. */
  readonly code: Promise<number>;
  /** Gives the signals back. */
  readonly done: () => void;
}

/** Takes the signals that would end the program, which then ends once what it started is gone. */
export function takeInterrupts(): Interrupt {
  const ended = new AbortController();
  const { promise: code, resolve } = Promise.withResolvers<number>();
  const end = (name: (typeof SIGNALS)[number]) => {
    ended.abort();
    resolve(128 + constants.signals[name]);
  };
  for (const name of SIGNALS) process.on(name, end);
  const done = () => {
    for (const name of SIGNALS) process.off(name, end);
  };
  return { signal: ended.signal, code, done };
}
