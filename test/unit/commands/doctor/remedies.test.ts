import { describe, expect, test } from "bun:test";
import { createCommands } from "../../../../src/commands/doctor/remedies.ts";

const FACTS = {
  program: ["/usr/local/bin/ecs-local-endpoints"],
  env: { PATH: "/usr/local/bin:/usr/bin" },
  asked: { port: 51679, loopback: false },
  engine: { target: "unix:///var/run/docker.sock", product: "Docker 29.0.0", isRemote: false },
  isInContainer: false,
  isRoot: false,
  platform: "linux",
};

describe("what a remedy has typed", () => {
  test("is the name alone where sudo finds it", () => {
    expect(createCommands(FACTS)).toEqual({
      networkUp: "sudo ecs-local-endpoints network up",
      server: "ecs-local-endpoints --port 51679",
      doctorAsRoot: "sudo -E ecs-local-endpoints doctor",
      engine: "docker",
    });
  });
  for (const [title, program, expected] of [
    ["not on sudo's path", ["/home/a/.local/bin/ecs-local-endpoints"], "/home/a/.local/bin/ecs-local-endpoints"],
    ["not on the user's", ["/usr/bin/../bin/ecs-local-endpoints"], "/usr/bin/../bin/ecs-local-endpoints"],
    ["of another name", ["/usr/local/bin/ecs"], "/usr/local/bin/ecs"],
    ["with a blank in its path", ["/home/a b/ecs-local-endpoints"], "'/home/a b/ecs-local-endpoints'"],
    ["run from source", ["/usr/local/bin/bun", "/src/main.ts"], "/usr/local/bin/bun /src/main.ts"],
  ] as const) {
    test(`is the whole path for a program ${title}`, () => {
      const env = { PATH: "/home/a/.local/bin:/usr/local/bin" };
      const { networkUp, server, doctorAsRoot } = createCommands({ ...FACTS, program, env });
      expect(networkUp).toBe(`sudo ${expected} network up`);
      expect(server).toStartWith(`${expected} --port`);
      expect(doctorAsRoot).toBe(`sudo -E ${expected} doctor`);
    });
  }
  test("asks of network up what it was asked before", () => {
    const asked = { port: 9000, bridges: ["docker0", "br-1"], loopback: false };
    expect(createCommands({ ...FACTS, asked })).toMatchObject({
      networkUp: "sudo ecs-local-endpoints network up --bridge docker0 --bridge br-1 --port 9000",
      server: "ecs-local-endpoints --port 9000",
    });
    expect(createCommands({ ...FACTS, asked: { port: 51679, loopback: true } })).toMatchObject({
      networkUp: "sudo ecs-local-endpoints network up --loopback",
      server: "sudo -E ecs-local-endpoints --bind 169.254.170.2 --port 80",
    });
  });
  test("says where the engine is that root would not find", () => {
    const engine = { target: "unix:///run/podman/podman.sock", product: "Podman 4.3.1", isRemote: false };
    expect(createCommands({ ...FACTS, engine })).toMatchObject({
      networkUp: "sudo env DOCKER_HOST=unix:///run/podman/podman.sock ecs-local-endpoints network up",
      engine: "podman",
    });
    expect(createCommands({ ...FACTS, engine: undefined }).networkUp).toBe("sudo ecs-local-endpoints network up");
  });
  test("is without sudo for who is root without it", () => {
    const root = { ...FACTS, isRoot: true, engine: { ...FACTS.engine, target: "unix:///other.sock" } };
    expect(createCommands(root).networkUp).toBe("ecs-local-endpoints network up");
    const loopback = createCommands({ ...root, asked: { port: 51679, loopback: true } });
    expect(loopback.server).toBe("ecs-local-endpoints --bind 169.254.170.2 --port 80");
    const bySudo = { ...root, env: { ...FACTS.env, SUDO_USER: "dev" } };
    expect(createCommands(bySudo).networkUp).toBe(
      "sudo env DOCKER_HOST=unix:///other.sock ecs-local-endpoints network up",
    );
    expect(createCommands({ ...root, isInContainer: true }).networkUp).toContain("sudo ecs-local-endpoints");
  });
  test("has no network up where there is none, or where the bridges are elsewhere", () => {
    expect(createCommands({ ...FACTS, platform: "darwin" }).networkUp).toBeUndefined();
    const engine = { ...FACTS.engine, isRemote: true };
    expect(createCommands({ ...FACTS, engine }).networkUp).toBeUndefined();
    const asked = { ...FACTS.asked, bridges: ["docker0"] };
    expect(createCommands({ ...FACTS, engine, asked }).networkUp).toEndWith("network up --bridge docker0");
  });
  test("is typed outside of a container by the program's name", () => {
    const inside = { ...FACTS, program: ["/ecs-local-endpoints"], isInContainer: true };
    expect(createCommands(inside).networkUp).toBe("outside of this container: sudo ecs-local-endpoints network up");
  });
});
