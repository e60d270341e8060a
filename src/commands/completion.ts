import type { Command } from "commander";
import { bash } from "./completion/bash.ts";
import { fish } from "./completion/fish.ts";
import type { Place } from "./completion/place.ts";
import { zsh } from "./completion/zsh.ts";

const SHELLS = { bash, zsh, fish };

/**
 * Writes what a shell reads to complete a program's words: its commands, their options, and what their arguments can be.
 *
 * @param program all of whose commands are there
 */
export function completion(program: Command, shell: keyof typeof SHELLS): string {
  return SHELLS[shell](program.name(), placesOf(program, []));
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const help = command.createHelp();
  // `--help` and `--version` say the same as the commands of these names.
  const isWord = (name: string) => name !== "help" && name !== "version";
  const commands = help.visibleCommands(command).filter((each) => isWord(each.name()));
  const place: Place = {
    path,
    commands: commands.map((each) => ({ name: each.name(), description: each.description() })),
    options: help.visibleOptions(command).map((option) => ({
      names: [option.short, option.long].filter((name) => name !== undefined),
      description: option.description,
      value: option.required ? option.flags.replace(/^.*<|>$/g, "") : undefined,
      isRepeated: option.parseArg !== undefined,
    })),
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    takesFiles: command.registeredArguments.some((argument) => argument.argChoices === undefined),
  };
  return [place, ...commands.flatMap((each) => placesOf(each, [...path, each.name()]))];
}
