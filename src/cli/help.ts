import type { Command } from "commander";
import type { Said } from "../commands/said.ts";
import { refuseUnknown } from "./usage-error.ts";

type Run = (what: () => Promise<Said>) => void;

/** Adds `help`, which prints what `--help` does: of the program, or of the command that is named behind it. */
export function addHelp(parent: Command): void {
  parent
    .command("help")
    .description("print this, or what there is of a command")
    .argument("[command...]", "as in: help network up")
    .action((words: string[]) => {
      const found = words.reduce((at: Command, word) => {
        return at.commands.find((each) => each.name() === word) ?? refuseUnknown(at, word);
      }, parent);
      found.help();
    });
}

/** Adds `version`, for those who type it as a command. */
export function addVersion(program: Command, version: string, run: Run): void {
  program
    .command("version")
    .description("print what --version does")
    .allowExcessArguments(false)
    .action(() => run(async () => ({ stdout: [`${version}\n`], stderr: [] })));
}
