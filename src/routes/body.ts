/** The agent's time to read a request in. */
const READ_WITHIN_MS = 5_000;

/**
 * The text of a request's body, with its byte order mark if there is one. One that does not arrive within 5 s, or not
 * whole, is an empty one, which no route takes. Bun.serve refuses what is too long.
 *
 * @param withinMs milliseconds
 */
export async function readBody(request: Request, withinMs = READ_WITHIN_MS): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, withinMs, "");
  });
  const whole = request.arrayBuffer().then(
    (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
    () => "",
  );
  return Promise.race([whole, late]).finally(() => clearTimeout(timer));
}
