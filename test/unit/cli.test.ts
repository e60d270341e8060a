import { describe, expect, spyOn, test } from "bun:test";
import { parseArguments } from "../../src/cli.ts";

/** What the command line asks for, and what it says to whom. */
function parse(line: string) {
  const said = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    spyOn(process[name], "write").mockImplementation((text) => {
      said[name] += String(text);
      return true;
    }),
  );
  try {
    return { invocation: parseArguments(line === "" ? [] : line.split(" "), "1.2.3"), ...said };
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

  for (const [line, said] of [
    ["network", "up"],
    ["network upp", "up"],
    ["network up --prot 9", "--port"],
    ["network up docker0", "too many arguments"],
    ["network down --bridge a", "unknown option '--bridge'"],
    [
      "netwrok up",
      "unknown command 'netwrok': there are serve, network, healthcheck, env, compose, doctor, completion",
    ],
    ["doctor --jsno", "--json"],
    ["doctor web", "too many arguments"],
    ["--port 80 env", "--port before 'env'"],
    ["--offline compose", "--offline before 'compose'"],
    ["--port 9 network up", "--port before 'network up' is the server's: put it behind"],
    ["--bind ::1 completion bash", "--bind before 'completion'"],
    ["--print", "unknown option '--print'"],
  ] as const) {
    test(`'${line}' is wrong usage, which stderr tells`, () => {
      const { invocation, stdout, stderr } = parse(line);
      expect(invocation).toEqual({ kind: "exit", code: 2 });
      expect([stdout, stderr]).toEqual(["", expect.stringContaining(said)]);
    });
  }

  for (const line of ["--help", "network --help", "network up --help", "doctor --help"]) {
    test(`'${line}' is help on stdout`, () => {
      const { invocation, stdout, stderr } = parse(line);
      expect(invocation).toEqual({ kind: "exit", code: 0 });
      expect([stdout, stderr]).toEqual([expect.stringContaining("Usage: ecs-local-endpoints"), ""]);
    });
  }
});
