import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
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
import { isInterfaceName, makeFolder, readState, type State, writeState } from "../../../src/network/state.ts";

const root = mkdtempSync(join(tmpdir(), "state-"));
afterAll(() => rmSync(root, { recursive: true }));
const folder = join(root, "folder");
const path = join(folder, "network.json");
const failed = (message: string) => expect.objectContaining({ code: "network-failed", message }) as Error;

const state: State = {
  version: 3,
  boot: "this",
  backend: "nf_tables",
  options: { port: 51679, bridges: ["docker0"], loopback: false },
  bridges: [{ name: "br-1.5", ifindex: 3, was: "0" }],
};

describe("the state file", () => {
  test("returns what was written, until the machine is started again", () => {
    writeState(state, path);
    expect(readState(path, "this")).toEqual(state);
    expect(readState(path, "another")).toBeUndefined();
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder)).toEqual(["network.json"]);
  });
  test("is removed without a state", () => {
    writeState(undefined, path);
    expect(readdirSync(folder)).toEqual([]);
    expect(readState(path, "this")).toBeUndefined();
  });
  test("is never written through a link", () => {
    const victim = join(root, "victim");
    writeFileSync(victim, "mine");
    symlinkSync(victim, `${path}.new`);
    writeState(state, path);
    expect(readFileSync(victim, "utf8")).toBe("mine");
    expect(readState(path, "this")).toEqual(state);
  });
  const bridge = (changed: object) =>
    JSON.stringify({ ...state, bridges: [{ name: "docker0", ifindex: 3, was: "0", ...changed }] });
  for (const [title, content] of [
    ["no JSON", "{"],
    ["another version", JSON.stringify({ ...state, version: 2 })],
    ["a wrong port", JSON.stringify({ ...state, options: { ...state.options, port: 0 } })],
    ["a path as a bridge", bridge({ name: "../../x" })],
    ["every interface as a bridge", bridge({ name: "all" })],
    ["the interface 0", bridge({ ifindex: 0 })],
    ["a value that is not a number", bridge({ was: "0;" })],
  ] as const) {
    test(`with ${title} is refused`, () => {
      const file = join(root, "bad.json");
      writeFileSync(file, content);
      expect(() => readState(file, "this")).toThrow(failed(`${file} is not what network up writes`));
    });
  }
});

describe("the folder", () => {
  const isRoot = process.geteuid?.() === 0;
  const wrong: readonly (readonly [string, string, (at: string) => void])[] = [
    ["writable by others", "is writable by others (mode 777)", (at) => chmodSync(at, 0o777)],
    ["a file", "is not a folder", (at) => [rmSync(at, { recursive: true }), writeFileSync(at, "")]],
    ["a link", "is not a folder", (at) => [rmSync(at, { recursive: true }), symlinkSync(folder, at)]],
    ["another user's", "belongs to the user 65534", (at) => chownSync(at, 65_534, 65_534)],
  ];
  test("is created for its owner", () => {
    makeFolder(join(root, "made"));
    makeFolder(join(root, "made"));
    expect(statSync(join(root, "made")).mode & 0o777).toBe(0o755);
  });
  for (const [index, [title, reason, make]] of wrong.entries()) {
    const skipped = title === "another user's" && !isRoot;
    test.skipIf(skipped)(`is not trusted if it is ${title}${skipped ? " (skipped: needs root)" : ""}`, () => {
      const at = join(root, String(index));
      mkdirSync(at);
      make(at);
      const refusal = failed(`${at} ${reason}, so it is not trusted`);
      expect(() => readState(join(at, "1.json"), "this")).toThrow(refusal);
      expect(() => writeState(undefined, join(at, "1.json"))).toThrow(refusal);
    });
  }
});

test("the name of an interface has at most 15 characters, is not a path, and does not stand for every interface", () => {
  for (const name of ["docker0", "br-0123456789ab", "eth0.100", "...", "a:b", "lo0"]) {
    expect(isInterfaceName(name)).toBeTrue();
  }
  for (const name of ["", ".", "..", "a/b", "a b", "br+", "0123456789abcdef", "lo", "all", "default", "-j", 'a"b']) {
    expect(isInterfaceName(name)).toBeFalse();
  }
});
