let isHeeded = false;

/**
 * Writes a command's result to stdout. A reader that has left, as `head` does, has what it wanted: the program ends
 * without a word. A disk that is full is a failure.
 *
 * @param done called when it is written
 */
export function writeOut(text: string, done?: () => void): void {
  // Here and not at the start, which the stream would cost 2 ms.
  if (!isHeeded) process.stdout.on("error", end);
  isHeeded = true;
  process.stdout.write(text, (error) => (error ? end(error) : done?.()));
}

function end({ code }: NodeJS.ErrnoException): never {
  if (code === "EPIPE") process.exit(0);
  process.stderr.write(`ecs-local-endpoints: the result cannot be written (${code})\n`);
  process.exit(1);
}
