import { functionName, keyOf, type Place, valuedKeys } from "./place.ts";

export function fish(program: string, places: readonly Place[]): string {
  const name = `_${functionName(program)}_at`;
  const steps = places.filter(({ path }) => path.length > 0).map(({ path }) => quoted(keyOf(path)));
  const valued = places.flatMap(valuedKeys).map(quoted);
  return `# fish completion of ${program}
function ${name} --description 'Whether the words lead to this command'
    set -l place ''
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        switch "$place $word"
            case ${steps.join(" ")}
                set place "$place $word"
            case ${valued.join(" ")}
                set skip yes
        end
    end
    test "$place" = "$argv[1]"
end
complete -c ${program} -f
${places.flatMap((place) => linesOf(`complete -c ${program} -n ${quoted(`${name} "${keyOf(place.path)}"`)}`, place)).join("\n")}
`;
}

function linesOf(complete: string, { commands, options, choices, takesFiles }: Place): string[] {
  return [
    ...commands.map(({ name, description }) => `${complete} -a ${name} -d ${quoted(description)}`),
    ...choices.map((choice) => `${complete} -a ${choice}`),
    ...(takesFiles ? [`${complete} -F`] : []),
    ...options.map(({ names, description, value }) => {
      const flags = names.map((each) => (each.startsWith("--") ? `-l ${each.slice(2)}` : `-s ${each.slice(1)}`));
      return `${complete} ${flags.join(" ")}${value === undefined ? "" : " -r -F"} -d ${quoted(description)}`;
    }),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
