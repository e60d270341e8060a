import { eventually } from "./app.ts";

/**
 * The first line of a log of JSON that holds a text, parsed. Files are looked at once a second.
 *
 * @param read gives all of the log so far
 */
export async function waitForLine(read: () => string, text: string) {
  let found: string | undefined;
  await eventually(() => {
    found = read()
      .split("\n")
      .find((line) => line.includes(text));
    return found !== undefined;
  }, 3_000);
  return JSON.parse(found ?? "");
}

/** All of the log of an app that a test started. */
export function logOf({ lines, flush }: { readonly lines: readonly string[]; readonly flush: () => void }): string {
  flush();
  return lines.join("");
}
