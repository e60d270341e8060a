import { expect, test } from "bun:test";
import { join } from "node:path";

/** A row of docs/errors.md. */
export interface Row {
  /** The heading that it stands under, of the second level. */
  readonly section: string;
  readonly why: string;
  /** Of an answer or of an exit; of metadata one for each version that has it. */
  readonly statuses: readonly number[];
  /** Undefined where the form of the answer has none. */
  readonly code: string | undefined;
  readonly cause: string;
  /** Empty where the text has none, and the document says in words of its own what to do. */
  readonly remedy: string;
}

export const ERRORS_DOCUMENT = await Bun.file(join(import.meta.dir, "../../docs/errors.md")).text();

/** The rows of sections of docs/errors.md. */
function rowsOf(...sections: readonly string[]): readonly Row[] {
  const rows = ERRORS_DOCUMENT.split(/^## /m).flatMap((text) => {
    const section = text.split("\n", 1)[0] ?? "";
    let header: readonly string[] = [];
    return text.split("\n").flatMap((line) => {
      if (!line.startsWith("| ")) return [];
      const cells = line.slice(1, -1).split("|");
      if (cells[0] === " text ") header = cells.map((cell) => cell.trim());
      const cell = (name: string) => cells[header.indexOf(name)]?.trim() ?? "";
      const statuses = (cell("status") || cell("exit code")).match(/\d+/g)?.map(Number);
      if (cells[0] === " text " || statuses === undefined) return [];
      const [, remedy = ""] = /^`([^`]+)`/.exec(cell("what to do")) ?? [];
      const code = header.includes("code") ? cell("code") : undefined;
      return [{ section, why: cell("why"), statuses, code, cause: cell("text").replaceAll("`", ""), remedy }];
    });
  });
  return rows.filter(({ section }) => sections.includes(section));
}

/** What the text of a row looks like, with anything in place of `<...>`. */
export function messagePattern({ cause, remedy }: Row): RegExp {
  const literal = (text: string): string =>
    text
      .split(/<[^>]*>/)
      .map(RegExp.escape)
      .join(".+?");
  return new RegExp(`^${literal(cause)}${remedy === "" ? "" : `; ${literal(remedy)}`}$`);
}

export function expectText(row: Row, message: string): void {
  expect(message).toMatch(messagePattern(row));
}

/**
 * One test for each row of the sections, and one that every row has a case and every case a row.
 *
 * @param cases by the row's reason
 * @param skip why a row cannot be provoked here, if so
 */
export function testRows<T>(
  sections: readonly string[],
  cases: Readonly<Record<string, T>>,
  check: (row: Row, found: T) => Promise<void>,
  skip: (row: Row) => string | undefined = () => undefined,
): void {
  const rows = rowsOf(...sections);
  test(`all of ${sections.join(", ")} are provoked`, () => {
    expect(rows.map(({ why }) => why).sort()).toEqual(Object.keys(cases).sort());
  });
  for (const row of rows) {
    const reason = skip(row);
    test.skipIf(reason !== undefined)(
      `${row.why}${reason === undefined ? "" : ` (skipped: ${reason})`}`,
      async () => {
        const found = cases[row.why];
        if (found === undefined) throw new Error("nothing provokes it");
        await check(row, found);
      },
      15_000,
    );
  }
}
