const BEAT_MS = 100;
/** No container is replaced in less. */
const LATE_MS = 250;

export interface Stall {
  /** Whether this process stood still, and what came meanwhile may not have been read yet. */
  readonly isDoubtful: () => boolean;
  readonly close: () => void;
}

/**
 * Notices when this process stood still: it was paused, or starved of its CPU. Requests and events that came meanwhile are
 * read in any order, so a request may be of a container whose start is not known yet.
 *
 * @param ask asks the engine something: what it had sent before is read by the time that it answers
 */
export function createStall(now: () => number, ask: () => Promise<unknown>): Stall {
  let beatAtMs = now();
  let doubts = 0;

  function look(): void {
    const atMs = now();
    const isLate = atMs - beatAtMs > LATE_MS;
    beatAtMs = atMs;
    if (!isLate) return;
    doubts += 1;
    const mine = doubts;
    // Where it does not answer, the contact is lost or silent, and is doubted for that.
    void ask()
      .catch(() => undefined)
      .then(() => {
        if (mine === doubts) doubts = 0;
      });
  }

  const beat = setInterval(look, BEAT_MS);
  beat.unref();
  return {
    isDoubtful() {
      look();
      return doubts > 0;
    },
    close: () => clearInterval(beat),
  };
}
