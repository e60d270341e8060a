import { join } from "node:path";

export interface Row {
  readonly name: string;
  readonly status: number;
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
}

/** The rows of docs/errors.md. */
export async function readErrorsTable(): Promise<Row[]> {
  const text = await Bun.file(join(import.meta.dir, "../../docs/errors.md")).text();
  return text
    .split("\n")
    .filter((line) => /^\| .* \| \d{3} \| /.test(line))
    .map((line) => {
      const cells = line.split("|").map((cell) => cell.trim().replace(/^`|`$/g, ""));
      const [, name = "", status = "", code = "", cause = "", remedy = ""] = cells;
      return { name, status: Number(status), code, cause, remedy };
    });
}

/** What the message of a row looks like, with anything in place of `<...>`. */
export function messagePattern({ cause, remedy }: Row): RegExp {
  const literal = (text: string): string =>
    text
      .split(/<[^>]*>/)
      .map(RegExp.escape)
      .join(".+?");
  return new RegExp(`^${literal(cause)}${remedy === "" ? "" : `; ${literal(remedy)}`}$`);
}
