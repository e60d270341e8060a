import { type Command, CommanderError } from "commander";
import { oneLine, truncate } from "../text.ts";
import { writeErr, writeOut } from "./output.ts";

const PROGRAM = "ecs-local-endpoints";
const SUGGESTION = "\n(Did you mean ";
const CHARACTERS_MAX = 300;

/** Makes a command and its subcommands print errors as the rest of the program does: one line, and a hint. */
export function useOwnFormat(command: Command): void {
  command.configureOutput({
    writeOut: (text) => writeOut(text),
    writeErr,
    outputError: (text, write) => {
      const message = text.trimEnd().replace(/^error: /, "");
      const at = message.endsWith("?)") ? message.lastIndexOf(SUGGESTION) : -1;
      if (at === -1) write(format(message, `see ${pathOf(command)} --help`));
      else write(format(message.slice(0, at), `did you mean ${message.slice(at + SUGGESTION.length, -"?)".length)}?`));
    },
  });
  for (const each of command.commands) useOwnFormat(each);
}

/** Ends the parsing of a wrong command line. */
export function refuse(command: Command, message: string, hint: string): never {
  // Commander's own `error` has no place for a hint.
  writeErr(format(message, hint));
  throw new CommanderError(1, "refused", `${command.name()}: ${message}`);
}

/** Ends the parsing at a word that is not a command, with commander's suggestion. */
export function refuseUnknown(parent: Command, word: string): never {
  parent.args = [word];
  // Commander calls it only for a command without an action.
  return (parent as Command & { unknownCommand: () => never }).unknownCommand();
}

function format(message: string, hint: string): string {
  return `${PROGRAM}: ${shown(message.replace(/\.$/, ""))}\nhint: ${shown(hint)}\n`;
}

function shown(text: string): string {
  return oneLine(truncate(text, CHARACTERS_MAX));
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}
