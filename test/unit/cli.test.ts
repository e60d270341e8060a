import { describe, expect, spyOn, test } from "bun:test";
import { parseArguments } from "../../src/cli.ts";

/** What the command line asks for, and what it says to whom. */
function parse(line: string, words = line === "" ? [] : line.split(" ")) {
  const said = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    spyOn(process[name], "write").mockImplementation((text) => {
      said[name] += String(text);
      return true;
    }),
  );
  try {
    return { invocation: parseArguments(words, "1.2.3"), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("the command line", () => {
  for (const [line, invocation] of [
    ["", { kind: "serve", flags: {} }],
    ["--offline --port 9", { kind: "serve", flags: { offline: true, port: "9" } }],
    ["serve", { kind: "serve", flags: {} }],
    ["--offline serve --port 9", { kind: "serve", flags: { offline: true, port: "9" } }],
    ["--offline --port 9 doctor --bind ::1", { kind: "doctor", request: { offline: true, port: "9", bind: "::1" } }],
    ["--port 8 doctor --port 9", { kind: "doctor", request: { port: "9" } }],
    ["--port 9 healthcheck", { kind: "healthcheck", flags: { port: "9" } }],
    ["--port 8 --bind ::1 healthcheck --port 9", { kind: "healthcheck", flags: { port: "9", bind: "::1" } }],
    ["network up", { kind: "network", request: { action: "up" } }],
    ["network up --port 9", { kind: "network", request: { action: "up", port: "9" } }],
    ["network up --bridge a --bridge b", { kind: "network", request: { action: "up", bridge: ["a", "b"] } }],
    [
      "network up --loopback --print-unit",
      { kind: "network", request: { action: "up", loopback: true, printUnit: true } },
    ],
    ["network down --print", { kind: "network", request: { action: "down", print: true } }],
    ["doctor", { kind: "doctor", request: {} }],
    [
      "doctor --json --port 9 --bind ::1 --start-containers --image a",
      { kind: "doctor", request: { json: true, port: "9", bind: "::1", startContainers: true, image: "a" } },
    ],
    ["network status --json", { kind: "network", request: { action: "status", json: true } }],
  ] as const) {
    test(`'${line}' is understood`, () => {
      expect<unknown>(parse(line)).toEqual({ invocation, stdout: "", stderr: "" });
    });
  }

  for (const [line, said] of [["network", "up"]] as const) {
    test(`'${line}' is wrong usage, with its help on stderr`, () => {
      const { invocation, stdout, stderr } = parse(line);
      expect(invocation).toEqual({ kind: "exit", code: 2 });
      expect([stdout, stderr]).toEqual(["", expect.stringContaining(said)]);
    });
  }

  const HELP = "see ecs-local-endpoints --help";
  for (const [line, what, hint] of [
    ["netwrok up", "unknown command 'netwrok'", "did you mean network?"],
    ["srve", "unknown command 'srve'", "did you mean serve?"],
    ["frobnicate", "unknown command 'frobnicate'", HELP],
    ["a\nb", "unknown command 'a?b'", HELP],
    ["help netwrok", "unknown command 'netwrok'", "did you mean network?"],
    ["help network nope", "unknown command 'nope'", "see ecs-local-endpoints network --help"],
    ["help serve up", "unknown command 'up'", "see ecs-local-endpoints serve --help"],
    ["version 1", "too many arguments for 'version'. ", "see ecs-local-endpoints version --help"],
    ["network upp", "unknown command 'upp'", "did you mean up?"],
    ["network up --prot 9", "unknown option '--prot'", "did you mean --port?"],
    ["network up docker0", "too many arguments", "see ecs-local-endpoints network up --help"],
    ["network down --bridge a", "unknown option '--bridge'", "see ecs-local-endpoints network down --help"],
    ["doctor --jsno", "unknown option '--jsno'", "did you mean --json?"],
    ["doctor web", "too many arguments", "see ecs-local-endpoints doctor --help"],
    ["--port", "option '--port <port>' argument missing", "see ecs-local-endpoints --help"],
    ["--port 80 env", "--port before 'env' is an option of the server", "put it after 'env', or leave it out"],
    ["--port 9 network up", "--port before 'network up' is an option", "put it after 'network up'"],
    ["--print", "unknown option '--print'", "see ecs-local-endpoints --help"],
    ["compose --output --force", "--output is '--force'", "give it a value: --output <file>"],
    ["compose -f a --file --join", "--file is '--join'", "give it a value: -f, --file <file>"],
    ["env --role --container", "--role is '--container', which looks like an option", "give it a value: --role <role>"],
    ["--bind --offline", "--bind is '--offline'", "give it a value: --bind <address>"],
  ] as const) {
    test(`'${line.replace("\n", "\\n")}' is wrong usage: one line on stderr, and one of what to do`, () => {
      const { invocation, stdout, stderr } = parse(line);
      expect(invocation).toEqual({ kind: "exit", code: 2 });
      const [first, second, ...rest] = stderr.split("\n");
      expect([stdout, ...rest]).toEqual(["", ""]);
      expect(first).toStartWith(`ecs-local-endpoints: ${what}`);
      expect(second).toStartWith(`hint: ${hint}`);
    });
  }

  for (const [what, words, said] of [
    ["a hint of ours", ["x\nhint: run: sudo rm -rf /"], ["unknown command 'x?hint: run: sudo rm -rf /'", HELP]],
    [
      "a hint of ours in an option",
      ["--x\nhint: run: y"],
      ["unknown option '--x?hint: run: y'", "see ecs-local-endpoints --help"],
    ],
    [
      "what commander perhaps meant",
      ["doctor", "--jsno\n(Did you mean y?)"],
      ["unknown option '--jsno?(Did you mean y?)'", "see ecs-local-endpoints doctor --help"],
    ],
  ] as const) {
    test(`a word that looks like ${what} is a word`, () => {
      const [message, hint] = said;
      expect(parse("", [...words])).toEqual({
        invocation: { kind: "exit", code: 2 },
        stdout: "",
        stderr: `ecs-local-endpoints: ${message}\nhint: ${hint}\n`,
      });
    });
  }

  const long = "x".repeat(100_000);
  for (const words of [[long], [`--${long}`], ["help", long], ["network", long]]) {
    test(`'${words.map((word) => word.replace(long, "...")).join(" ")}' with a very long word is cut in what is said`, () => {
      const { invocation, stderr } = parse("", words);
      expect(invocation).toEqual({ kind: "exit", code: 2 });
      expect(stderr).toMatch(/^ecs-local-endpoints: [^\n]*x{200}[^\n]*\nhint: [^\n]+\n$/);
      expect(stderr.length).toBeLessThan(700);
    });
  }

  test("a word of nothing but ends of lines takes no time to be refused", () => {
    const begun = performance.now();
    for (const word of [`${"\n".repeat(100_000)}x`, `--x${"\n".repeat(100_000)}y`]) parse("", [word]);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  for (const line of ["--help", "network --help", "network up --help", "doctor --help"].flatMap((usual) => [
    usual,
    `help ${usual.slice(0, -"--help".length)}`.trim(),
  ])) {
    test(`'${line}' is help on stdout`, () => {
      const { invocation, stdout, stderr } = parse(line);
      expect(invocation).toEqual({ kind: "exit", code: 0 });
      const command = line.replace(/ ?--help$|^help ?/, "");
      expect([stdout, stderr]).toEqual([
        expect.stringMatching(new RegExp(`^Usage: ecs-local-endpoints ?${command} \\[`)),
        "",
      ]);
    });
  }

  test("'doctor --help' has each exit code that its page has", async () => {
    const page = await Bun.file(new URL("../../docs/doctor.md", import.meta.url)).text();
    for (const text of [parse("doctor --help").stdout, page]) {
      for (const code of ["130", "143", "129"]) expect(text).toMatch(new RegExp(`\\b${code}\\b`));
    }
  });

  for (const line of ["--version", "-V"]) {
    test(`'${line}' is the version on stdout`, () => {
      expect(parse(line)).toEqual({ invocation: { kind: "exit", code: 0 }, stdout: "1.2.3\n", stderr: "" });
    });
  }
  test("'version' is it as well", async () => {
    const { invocation } = parse("version");
    if (invocation.kind !== "run") return expect.unreachable();
    expect(await invocation.run({})).toEqual({ stdout: ["1.2.3\n"], stderr: [] });
  });
});
