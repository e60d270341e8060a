let isReaderGone = false;
let [isOutHeeded, isErrHeeded] = [false, false];

/**
 * Writes a command's result to stdout. A reader that has left, as `head` does, has what it wanted: the rest is dropped, and
 * the command ends as it would have. A disk that is full is a failure.
 *
 * @param done called when it is written, or dropped
 */
export function writeOut(text: string, done?: () => void): void {
  // Here and not at the start, which the stream would cost 2 ms. The same below.
  if (!isOutHeeded) process.stdout.on("error", heed);
  isOutHeeded = true;
  if (isReaderGone) {
    done?.();
    return;
  }
  process.stdout.write(text, (error) => {
    if (error) heed(error);
    done?.();
  });
}

function heed({ code }: NodeJS.ErrnoException): void {
  isReaderGone ||= code === "EPIPE";
  if (isReaderGone) return;
  writeErr(`ecs-local-endpoints: the result cannot be written (${code})\n`);
  process.exit(1);
}

/** Writes to stderr. A failed write is ignored: it must not interrupt the work. */
export function writeErr(text: string): void {
  if (!isErrHeeded) process.stderr.on("error", () => {});
  isErrHeeded = true;
  process.stderr.write(text);
}
