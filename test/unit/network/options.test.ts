import { describe, expect, test } from "bun:test";
import { type NetworkRequest, optionWords, readOptions } from "../../../src/network/options.ts";
import { systemdUnit } from "../../../src/network/systemd-unit.ts";

describe("the options", () => {
  for (const [options, asked, again] of [
    [{}, undefined, []],
    [{ port: "5000" }, { port: 5000, loopback: false }, ["--port", "5000"]],
    [{ bridge: ["a", "b"] }, { port: 51679, loopback: false, bridges: ["a", "b"] }, ["--bridge", "a", "--bridge", "b"]],
    [{ loopback: true }, { port: 51679, loopback: true }, ["--loopback"]],
  ] as const) {
    test(`${JSON.stringify(options)} are read, and written as the same options`, () => {
      const read = readOptions({ action: "up", ...options });
      expect<unknown>(read).toEqual(asked);
      if (read) expect(optionWords(read)).toEqual([...again]);
    });
  }

  const wrong: readonly (readonly [Omit<NetworkRequest, "action">, string])[] = [
    [{ port: "0" }, "'0'"],
    [{ port: "65536" }, "'65536'"],
    [{ port: "80x" }, "'80x'"],
    [{ port: "" }, "''"],
    [{ loopback: true, port: "80" }, "--loopback cannot be combined"],
    [{ loopback: true, bridge: ["a"] }, "--loopback cannot be combined"],
    ...["lo", "all", "default", "a/b", "..", "", "br+", '"ab"', "-j", "--comment"].map(
      (name) => [{ bridge: ["a", name] }, `'${name}'`] as const,
    ),
  ];
  for (const [options, named] of wrong) {
    test(`${JSON.stringify(options)} are wrong usage, with the value`, () => {
      expect(() => readOptions({ action: "up", ...options })).toThrow(
        expect.objectContaining({ code: "bad-configuration", message: expect.stringContaining(named) }) as Error,
      );
    });
  }
});

describe("the unit", () => {
  test("runs up at the start and down at the end", () => {
    const unit = systemdUnit(["/usr/bin/ecs-local-endpoints"], ["--port", "5000"]);
    expect(unit).toContain("\nExecStart=/usr/bin/ecs-local-endpoints network up --port 5000\n");
    expect(unit).toContain("\nExecStop=/usr/bin/ecs-local-endpoints network down\n");
    expect(unit).not.toContain("Environment=");
  });
  test("quotes what systemd would read otherwise, and names the engine that was named", () => {
    const unit = systemdUnit(["/opt/a b/50%/x"], [], "tcp://box:2375");
    expect(unit).toContain('\nExecStart="/opt/a b/50%%/x" network up\n');
    expect(unit).toContain("\nEnvironment=DOCKER_HOST=tcp://box:2375\n");
  });
  test("has a dollar doubled in an argument alone, where systemd would put a variable", () => {
    const unit = systemdUnit(["/opt/$a/bun", "/opt/$a/main.ts"], ["--bridge", "br$1"], "unix:///run/$a 1%.sock");
    expect(unit).toContain("\nExecStart=/opt/$a/bun /opt/$$a/main.ts network up --bridge br$$1\n");
    expect(unit).toContain('\nEnvironment="DOCKER_HOST=unix:///run/$a 1%%.sock"\n');
  });
});
