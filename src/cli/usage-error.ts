import { type Command, CommanderError } from "commander";
import { oneLine } from "../text.ts";
import { writeErr, writeOut } from "./output.ts";

const PROGRAM = "ecs-local-endpoints";

/**
 * Makes a command and those below it say what is wrong as the rest of the program does: one line with the program's
 * name, and one with what to do.
 */
export function sayAsOurs(command: Command): void {
  const path = pathOf(command);
  command.configureOutput({
    writeOut: (text) => writeOut(text),
    writeErr,
    outputError: (text, write) => {
      // Commander's own words for what was perhaps meant stand on a line of their own, the last.
      const message = text.trimEnd().replace(/^error: /, "");
      const at = message.endsWith("?)") ? message.lastIndexOf(MEANT) : -1;
      const hint = at === -1 ? `see ${path} --help` : `did you mean ${message.slice(at + MEANT.length, -"?)".length)}?`;
      write(lines(at === -1 ? message : message.slice(0, at), hint));
    },
  });
  for (const each of command.commands) sayAsOurs(each);
}

const MEANT = "\n(Did you mean ";
/** Of what is wrong and of what to do: both may have words of the command line. */
const CHARACTERS_MAX = 300;
export const WORD_CHARACTERS_MAX = 80;

function lines(what: string, hint: string): string {
  return `${PROGRAM}: ${shown(what.replace(/\.$/, ""), CHARACTERS_MAX)}\nhint: ${shown(hint, CHARACTERS_MAX)}\n`;
}

/** Words on one line, cut where they are longer than so many characters. */
export function shown(text: string, max: number): string {
  return oneLine(text.length > max ? `${text.slice(0, max)}…` : text);
}

/** Ends a command line that is wrong, with what to do about it. */
export function refuse(command: Command, what: string, hint: string): never {
  // Beside commander's way for errors, which has one text for both.
  writeErr(lines(what, hint));
  throw new CommanderError(1, "refused", `${command.name()}: ${shown(what, CHARACTERS_MAX)}`);
}

/** Ends a command line with a word where a command is to stand. */
export function refuseUnknown(parent: Command, word: string): never {
  const names = parent.commands.map((each) => each.name());
  const meant = nearest(word, names);
  const known = names.length > 0 ? `there are ${names.join(", ")}` : `see ${pathOf(parent)} --help`;
  const hint = meant === undefined ? known : `did you mean ${meant}?`;
  return refuse(parent, `unknown command '${shown(word, WORD_CHARACTERS_MAX)}'`, hint);
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** The word that was perhaps meant: less than half of it, and no more than three letters, are others. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const far = (name: string) => Math.min(4, name.length / 2);
  return known
    .map((name) => ({ name, off: distance(word.slice(0, 32), name) }))
    .filter(({ name, off }) => off < far(name))
    .toSorted((a, b) => a.off - b.off)[0]?.name;
}

/** How many letters are missing, too many, others, or changed places with the next. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const at = (up: number, left: number) => rows[i - up]?.[j - left] ?? 0;
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(2, 2) + 1 : Infinity;
      row[j] = Math.min(at(1, 0) + 1, (row[j - 1] ?? 0) + 1, at(1, 1) + Number(a[i - 1] !== b[j - 1]), swapped);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}
