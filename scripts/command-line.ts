import { type ParseArgsConfig, parseArgs } from "node:util";

/** What `parseArgs` calls its own errors begins so as well. */
const WRONG_USAGE = "ERR_PARSE_ARGS_";

/** A command line that cannot be done: the script ends with 2 and this one line. */
export function usageError(message: string): Error {
  return Object.assign(new Error(message), { code: `${WRONG_USAGE}INVALID_OPTION_VALUE` });
}

/**
 * Reads a script's options.
 *
 * @throws Error of wrong usage for what is unknown, has no value, or an empty one
 */
export function readOptions<T extends NonNullable<ParseArgsConfig["options"]>>(options: T) {
  const { values } = parseArgs({ options });
  for (const [name, value] of Object.entries(values)) if (value === "") throw usageError(`--${name} is empty`);
  return values;
}

/**
 * Runs a script and ends it: with 2 where the command line is wrong, with 1 where anything else is.
 *
 * @param name in front of each line of an error
 * @param usage what `--help` prints
 */
export function runScript(name: string, usage: string, main: () => Promise<void>): void {
  if (process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h")) {
    process.stdout.write(usage);
    return;
  }
  main().catch((error: Error & { code?: string }) => {
    if (error.code?.startsWith(WRONG_USAGE)) {
      console.error(`${name}: ${error.message} (see --help)`);
      process.exit(2);
    }
    for (const line of error.message.split("\n")) console.error(line.startsWith("hint: ") ? line : `${name}: ${line}`);
    process.exit(1);
  });
}
