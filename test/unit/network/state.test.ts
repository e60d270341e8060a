import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planLoopback, planRules } from "../../../src/network/plan.ts";
import { bootId, isInterfaceName, readState, type State, writeState } from "../../../src/network/state.ts";

const root = mkdtempSync(join(tmpdir(), "state-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = join(root, "folder/network.json");

const state: State = {
  version: 1,
  boot: "this",
  backend: "nf_tables",
  asked: { port: 51679, bridges: ["docker0"], loopback: false },
  steps: [...planRules(51679, [{ name: "br-1.5", ifindex: 3, was: "0" }]), ...planLoopback(false)],
};

describe("the state file", () => {
  test("gives back what was written, to everybody", () => {
    writeState(path, state);
    expect(readState(path, "this")).toEqual(state);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(join(root, "folder"))).toEqual(["network.json"]);
  });

  test("counts for nothing once the machine was started anew", () => {
    writeState(path, state);
    expect(readState(path, "another")).toBeUndefined();
  });

  test("goes with its folder, but not with what others have in there", () => {
    writeState(path, state);
    writeState(path, undefined);
    expect(existsSync(join(root, "folder"))).toBeFalse();
    expect(readState(path, "this")).toBeUndefined();
    writeState(path, undefined);
    writeState(path, state);
    writeFileSync(join(root, "folder/other"), "");
    writeState(path, undefined);
    expect(readdirSync(join(root, "folder"))).toEqual(["other"]);
  });

  const sysctl = { kind: "sysctl", what: "w", bridge: "docker0", ifindex: 3, was: "0" };
  for (const [title, content] of [
    ["no JSON", "{"],
    ["of another version", JSON.stringify({ ...state, version: 2 })],
    ["without steps", JSON.stringify({ ...state, steps: undefined })],
    ["with a step of an unknown kind", JSON.stringify({ ...state, steps: [{ kind: "exec", what: "w" }] })],
    ["with a path for a bridge", JSON.stringify({ ...state, steps: [{ ...sysctl, bridge: "../../x" }] })],
    ["with a bridge called ..", JSON.stringify({ ...state, steps: [{ ...sysctl, bridge: ".." }] })],
    ["with a value that is no number", JSON.stringify({ ...state, steps: [{ ...sysctl, was: "0;" }] })],
  ] as const) {
    test(`that is ${title} is refused with its name and the remedy`, () => {
      const file = join(root, "bad.json");
      writeFileSync(file, content);
      expect(() => readState(file, "this")).toThrow(
        expect.objectContaining({ code: "network-failed", message: `${file} is not what network up writes` }) as Error,
      );
    });
  }

  test("that cannot be written is an error with the reason", () => {
    expect(() => writeState("/proc/nowhere/network.json", state)).toThrow(
      expect.objectContaining({ code: "network-failed", hint: "make /run writable" }) as Error,
    );
  });
});

test("a name of an interface is up to 15 characters, no path, and not what stands for every interface", () => {
  for (const name of ["docker0", "br-0123456789ab", "eth0.100", "...", "a:b", "lo0", "ball"])
    expect(isInterfaceName(name)).toBeTrue();
  for (const name of ["", ".", "..", "a/b", "a b", "br+", "0123456789abcdef", "lo", "all", "default"])
    expect(isInterfaceName(name)).toBeFalse();
});

test.skipIf(process.platform !== "linux")("the machine's start has a name that does not change", () => {
  expect(bootId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(bootId()).toBe(bootId());
});
