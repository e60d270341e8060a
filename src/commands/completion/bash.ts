import { functionName, keyOf, type Place, quoted, valuedKeys } from "./place.ts";

/** For bash from 3.2 on, which macOS still has: no `compopt`, no `mapfile`. */
export function bash(program: string, places: readonly Place[]): string {
  const name = functionName(program);
  const steps = places.filter(({ path }) => path.length > 0).map(({ path }) => keyOf(path));
  const files = places.filter(({ takesFiles }) => takesFiles).map(({ path }) => keyOf(path));
  const valued = places.flatMap(valuedKeys);
  return `# bash completion of ${program}
${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} place= words= at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$place \${COMP_WORDS[at]}" in
${steps.map((key) => `      ${quoted(key)}) place=${quoted(key)} ;;`).join("\n")}
      ${valued.map(quoted).join(" | ")})
        at=$((at + 1))
        # A value that is joined by = is three words to bash.
        [[ \${COMP_WORDS[at]-} != '=' ]] || at=$((at + 1))
        ;;
    esac
  done
  case "$place" in
${places.map((place) => `    ${quoted(keyOf(place.path))}) words=${quoted(wordsOf(place))} ;;`).join("\n")}
  esac
  # Of nothing, bash makes the names of files, and knows how to quote them.
  ((at <= COMP_CWORD)) || words=
  case "$place $current" in
    ${files.map((key) => `${quoted(`${key} -`)}*`).join(" | ")}) ;;
    ${files.map((key) => `${quoted(`${key} `)}*`).join(" | ")}) words= ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F ${name} ${program}
`;
}

function wordsOf({ commands, options, choices }: Place): string {
  return [...commands.map(({ name }) => name), ...choices, ...options.flatMap(({ names }) => names)].join(" ");
}
