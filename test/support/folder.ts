import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of a test's own, and what writes a file in it: text as it is, anything else as JSON. */
export function folder(name: string) {
  const path = mkdtempSync(join(tmpdir(), `${name}-`));
  return {
    path,
    write(file: string, content: unknown): string {
      const at = join(path, file);
      writeFileSync(at, typeof content === "string" ? content : JSON.stringify(content));
      return at;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
