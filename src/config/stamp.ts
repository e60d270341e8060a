import { statSync } from "node:fs";

/**
 * What differs once a file has changed, found without reading it; `-` where there is none. Of what a link leads to, so
 * that a link which leads elsewhere is a change.
 */
export function stampOf(path: string): string {
  try {
    const facts = statSync(path);
    return `${facts.mtimeMs},${facts.ctimeMs},${facts.size},${facts.ino}`;
  } catch {
    return "-";
  }
}
