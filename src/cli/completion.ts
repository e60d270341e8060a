import { Argument, type Command } from "commander";
import type { Said } from "../commands/said.ts";

type Run = (what: () => Promise<Said>) => void;

/** To be added last: what it prints is of all commands. */
export function addCompletion(program: Command, run: Run): void {
  program
    .command("completion")
    .description("print what makes a shell complete this program's words")
    .addArgument(new Argument("<shell>", "whose").choices(["bash", "zsh", "fish"]))
    .allowExcessArguments(false)
    .action((shell: "bash" | "zsh" | "fish") =>
      run(async () => {
        const { completion } = await import("../commands/completion.ts");
        return { stdout: [completion(program, shell)], stderr: [] };
      }),
    );
}
