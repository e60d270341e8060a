import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArguments } from "../../../src/cli.ts";
import { describeWhere } from "../../support/tools.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
let folder: string;
const fileOf = (shell: string) => join(folder, `completion.${shell}`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ecs-local-completion-"));
  writeFileSync(join(folder, "a file"), "");
  for (const shell of SHELLS) {
    const invocation = parseArguments(["completion", shell], "1.2.3");
    if (invocation.kind !== "run") throw new Error("completion runs nothing");
    writeFileSync(fileOf(shell), (await invocation.run({})).stdout.join(""));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const missing = (shell: string) => (Bun.which(shell) ? undefined : `${shell} is not installed`);

function run(...command: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(command, { cwd: folder, env: { PATH: process.env.PATH ?? "" } });
  expect(stderr.toString()).toBe("");
  expect(success).toBe(true);
  return stdout.toString();
}

for (const shell of SHELLS) {
  describeWhere(`${shell} with its completion`, missing(shell), () => {
    test("parses it", () => {
      run(shell, "-n", fileOf(shell));
    });
  });
}

/** What stands before the cursor, and what it can become; none: the names of files. */
const CASES: [line: string, words: string[]][] = [
  ["netw", ["network"]],
  ["network ", ["up", "down", "status", "-h", "--help"]],
  ["network up --pri", ["--print", "--print-unit"]],
  ["--port 9 hea", ["healthcheck"]],
  ["--port=9 hea", ["healthcheck"]],
  ["--port network st", []],
  ["env --role network --for", ["--format"]],
  ["completion ", ["bash", "zsh", "fish", "-h", "--help"]],
  ["compose --jo", ["--join"]],
  ["compose ", []],
  ["compose a", []],
];

describeWhere("bash", missing("bash"), () => {
  for (const [line, words] of CASES) {
    test(`completes '${line}' by ${words.join(", ") || "files"}`, () => {
      // As readline cuts it: an equals sign is a word.
      const cut = ["ecs-local-endpoints", ...line.replaceAll("=", " = ").split(" ")];
      const script = `. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ecs_local_endpoints; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const said = run("bash", "--norc", "-c", script, fileOf("bash"), ...cut);
      expect(said.split("\n").filter((word) => word !== "")).toEqual(words);
    });
  }

  test("calls it for the program, and names files where it says nothing", () => {
    const said = run("bash", "--norc", "-c", '. "$0"; complete -p ecs-local-endpoints', fileOf("bash"));
    expect(said).toBe("complete -o bashdefault -o default -F _ecs_local_endpoints ecs-local-endpoints\n");
  });
});

describeWhere("fish", missing("fish"), () => {
  for (const [line, words] of CASES.filter(([, words]) => words.length > 0)) {
    test(`completes '${line}' by ${words.join(", ")}`, () => {
      const ask = "source $argv[1]; complete -C $argv[2]";
      const said = run("fish", "--no-config", "-c", ask, fileOf("fish"), `ecs-local-endpoints ${line}`);
      // It offers options only behind a dash.
      const expected = line.endsWith(" ") ? words.filter((word) => !word.startsWith("-")) : words;
      const found = said.split("\n").filter((word) => word !== "");
      expect(found.map((word) => word.split("\t")[0]).sort()).toEqual(expected.sort());
    });
  }
});

describeWhere("zsh", missing("zsh"), () => {
  for (const [line, completed] of [
    ["netw", "network "],
    ["network st", "network status "],
    ["network up --loop", "network up --loopback "],
    ["--port 9 completion fi", "--port 9 completion fish "],
  ] as const) {
    test(`completes '${line}' to '${completed.trim()}'`, () => {
      // A terminal of its own, as there is no other way to ask; what stands on the line is then echoed.
      const script = `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -Uz compinit; compinit -D -u; source "${fileOf("zsh")}"'
zpty -w shell 'ecs-local-endpoints() { print -r -- "ran<$*>" }'
zpty -n -w shell $'ecs-local-endpoints ${line}\\t\\n'
while zpty -r shell said; do print -r -- $said; [[ $said == *ran\\<[^\\$]* ]] && break; done`;
      const { stdout } = Bun.spawnSync(["zsh", "-f", "-c", script], { cwd: folder, timeout: 8_000 });
      expect(stdout.toString()).toContain(`ran<${completed.trim()}>`);
    }, 10_000);
  }
});
