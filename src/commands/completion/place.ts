/** What can stand behind a command. */
export interface Place {
  /** The command's name with those before it; empty for the program itself. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly Option[];
  /** What an argument can be. */
  readonly choices: readonly string[];
  readonly takesFiles: boolean;
}

export interface Option {
  readonly names: readonly string[];
  readonly description: string;
  /** What its value is called, where it takes one. */
  readonly value: string | undefined;
  readonly isRepeated: boolean;
}

/** A place as the scripts know it while they read the words: `" network up"`. */
export function keyOf(path: readonly string[]): string {
  return path.map((name) => ` ${name}`).join("");
}

/** The program's name as a shell's function can be called. */
export function functionName(program: string): string {
  return `_${program.replaceAll("-", "_")}`;
}

/** The keys of words that stand before a value. */
export function valuedKeys({ path, options }: Place): string[] {
  return options
    .filter(({ value }) => value !== undefined)
    .flatMap(({ names }) => names.map((name) => `${keyOf(path)} ${name}`));
}

/** For single quotes, as bash and zsh read them. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
