/** Starts a countdown of so many milliseconds; what it returns says how many are left. */
export type Countdown = (ms: number) => () => number;

/**
 * What is left of a time, by whichever of two clocks says less: one may be set back, the other stands still while the
 * machine sleeps.
 *
 * @param now milliseconds since 1970
 * @param monotonic milliseconds of a clock that nobody sets
 */
export function createCountdown(now: () => number, monotonic: () => number): Countdown {
  return (ms) => {
    const end = now() + ms;
    const steadyEnd = monotonic() + ms;
    return () => Math.min(end - now(), steadyEnd - monotonic());
  };
}
