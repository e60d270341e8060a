import { functionName, type Option, type Place, quoted } from "./place.ts";

/** One function for each command, called by that of the command before it, as zsh's own `_arguments` means it. */
export function zsh(program: string, places: readonly Place[]): string {
  const name = functionName(program);
  return `#compdef ${program}
${places.map((place) => functionOf(name, place)).join("\n")}
# Where the shell loads the file by itself, it is the function's body when it is needed first.
if [[ $funcstack[1] == _${program} ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`;
}

function functionOf(name: string, { path, commands, options, choices, takesFiles }: Place): string {
  const own = [name, ...path].join("_");
  const rest =
    commands.length > 0
      ? ["'1: :->command'", "'*:: :->rest'"]
      : choices.length > 0
        ? [`'1:argument:(${choices.join(" ")})'`]
        : takesFiles
          ? ["'*:file:_files'"]
          : [];
  const specs = [...options.map(specOf), ...rest].join(" \\\n    ");
  if (commands.length === 0) return `${own}() {\n  _arguments \\\n    ${specs}\n}`;
  return `${own}() {
  local curcontext=$curcontext state line
  local -a commands
  _arguments -C \\
    ${specs}
  case $state in
    command)
      commands=(
${commands.map((each) => `        ${quoted(`${each.name}:${each.description}`)}`).join("\n")}
      )
      _describe command commands
      ;;
    rest)
      case $words[1] in
${commands.map((each) => `        ${each.name}) ${own}_${each.name} ;;`).join("\n")}
      esac
      ;;
  esac
}`;
}

function specOf({ names, description, value, isRepeated }: Option): string {
  const text = `[${description.replace(/[[\]:\\]/g, "\\$&")}]`;
  const behind = value === undefined ? "" : `:${value.replace(/[:\\]/g, "\\$&")}:_files`;
  const one = (flag: string) => quoted(`${isRepeated ? "*" : ""}${flag}${text}${behind}`);
  const [first = ""] = names;
  if (names.length === 1) return one(first);
  return `'(${names.join(" ")})'{${names.join(",")}}${quoted(`${text}${behind}`)}`;
}
