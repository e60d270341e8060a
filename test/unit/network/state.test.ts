import { afterAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootId, isInterfaceName, readState, type State, statePath, writeState } from "../../../src/network/state.ts";

const root = mkdtempSync(join(tmpdir(), "state-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = join(root, "folder/network.json");

const state: State = {
  version: 2,
  boot: "this",
  backend: "nf_tables",
  asked: { port: 51679, bridges: ["docker0"], loopback: false },
  made: [
    { kind: "rules", port: 51679, bridges: [{ name: "br-1.5", ifindex: 3, was: "0" }] },
    { kind: "address", was: false },
  ],
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

  test("goes where nothing stands", () => {
    writeState(path, state);
    writeState(path, undefined);
    expect(readdirSync(join(root, "folder"))).toEqual([]);
    expect(readState(path, "this")).toBeUndefined();
    writeState(path, undefined);
  });

  test("is written beside what a killed call left by the next one's name, which is not followed", () => {
    const victim = join(root, "victim");
    writeFileSync(victim, "mine");
    symlinkSync(victim, `${path}.new`);
    writeState(path, state);
    expect(readFileSync(victim, "utf8")).toBe("mine");
    expect(readState(path, "this")).toEqual(state);
    expect(readdirSync(join(root, "folder"))).toEqual(["network.json"]);
  });

  const bridge = { name: "docker0", ifindex: 3, was: "0" };
  const made = (changed: object) =>
    JSON.stringify({ ...state, made: [{ kind: "rules", port: 51679, bridges: [{ ...bridge, ...changed }] }] });
  test("of a bridge is read, and of one that went away before it was written", () => {
    writeFileSync(path, made({}));
    expect(readState(path, "this")?.made).toMatchObject([{ bridges: [bridge] }]);
    writeFileSync(path, made({ ifindex: undefined }));
    expect(readState(path, "this")?.made).toEqual([
      { kind: "rules", port: 51679, bridges: [{ name: "docker0", was: "0" }] },
    ]);
  });
  for (const [title, content] of [
    ["no JSON", "{"],
    ["of another version", JSON.stringify({ ...state, version: 1 })],
    ["without plans", JSON.stringify({ ...state, made: undefined })],
    ["with a plan of an unknown kind", JSON.stringify({ ...state, made: [{ kind: "exec" }] })],
    ["with a port that is none", JSON.stringify({ ...state, made: [{ kind: "rules", port: 0, bridges: [] }] })],
    ["with a path for a bridge", made({ name: "../../x" })],
    ["with a bridge called ..", made({ name: ".." })],
    ["with every interface for a bridge", made({ name: "all" })],
    ["with the interface 0", made({ ifindex: 0 })],
    ["with a value that is no number", made({ was: "0;" })],
  ] as const) {
    test(`that is ${title} is refused with its name and the remedy`, () => {
      const file = join(root, "bad.json");
      writeFileSync(file, content);
      expect(() => readState(file, "this")).toThrow(
        expect.objectContaining({ code: "network-failed", message: `${file} is not what network up writes` }) as Error,
      );
    });
  }

  test("that cannot be read is an error with the reason", () => {
    mkdirSync(join(root, "a.json"));
    expect(() => readState(join(root, "a.json"), "this")).toThrow(
      expect.objectContaining({ code: "network-failed", message: expect.stringContaining("EISDIR") }) as Error,
    );
  });

  test("that cannot be written is an error with the reason", () => {
    expect(() => writeState(join(root, "nowhere/folder/network.json"), state)).toThrow(
      expect.objectContaining({ code: "network-failed", hint: "make /run writable" }) as Error,
    );
  });
});

test("a name of an interface is up to 15 characters, no path, and not what stands for every interface", () => {
  for (const name of ["docker0", "br-0123456789ab", "eth0.100", "...", "a:b", "lo0", "ball", "a-b"])
    expect(isInterfaceName(name)).toBeTrue();
  for (const name of [
    "",
    ".",
    "..",
    "a/b",
    "a b",
    "br+",
    "0123456789abcdef",
    "lo",
    "all",
    "default",
    "-j",
    '"ab"',
    'a"b',
  ])
    expect(isInterfaceName(name)).toBeFalse();
});

test.skipIf(process.platform !== "linux")("the machine's start has a name that does not change", () => {
  expect(bootId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(bootId()).toBe(bootId());
});

test.skipIf(process.platform !== "linux")("the file has the name of its network namespace", () => {
  expect(statePath("/run/x")).toBe(`/run/x/${statSync("/proc/self/ns/net").ino}.json`);
});
