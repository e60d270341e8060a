import { describe, expect, test } from "bun:test";
import { checkPort, type PortFacts, tryToListen } from "../../../../src/commands/doctor/port.ts";

const FREE: PortFacts = {
  bind: "127.0.0.1",
  port: 80,
  refusal: undefined,
  answering: { by: "none" },
  isServedElsewhere: false,
};

describe("the port", () => {
  test("that is free, or ours, is ok", () => {
    expect(checkPort(FREE)).toMatchObject({ state: "ok", message: expect.stringContaining("free") });
    const ours = checkPort({ ...FREE, refusal: "EADDRINUSE", answering: { by: "us", version: "1.2.3" } });
    expect(ours).toEqual({ check: "port", state: "ok", message: "our server 1.2.3 answers at 127.0.0.1:80" });
  });
  test("of an IPv6 address is written with brackets", () => {
    expect(checkPort({ ...FREE, bind: "::1" }).message).toStartWith("[::1]:80 is free");
  });
  for (const [refusal, message, remedy] of [
    [
      "EADDRINUSE",
      "127.0.0.1:80 is taken by another process",
      "see which: sudo ss -ltnp sport = :80 (docker-proxy or conmon: docker ps or podman ps); stop it, or choose a port: --port 51679 or ECS_LOCAL_METADATA_PORT=51679",
    ],
    [
      "EACCES",
      "127.0.0.1:80 is forbidden to this user",
      "choose a port above 1023: --port 51679 or ECS_LOCAL_METADATA_PORT=51679",
    ],
    [
      "EADDRNOTAVAIL",
      "127.0.0.1:80 is not an address of this machine",
      "choose one: --bind 127.0.0.1 or ECS_LOCAL_BIND_ADDRESS",
    ],
    ["ENOTFOUND", "127.0.0.1:80 cannot be resolved", "choose an address: --bind 127.0.0.1 or ECS_LOCAL_BIND_ADDRESS"],
    ["EWHATEVER", "127.0.0.1:80 cannot be used (EWHATEVER)", "choose another: --port 51679 and --bind 127.0.0.1"],
  ] as const) {
    test(`that cannot be had for ${refusal} is a problem, unless our server is elsewhere`, () => {
      const facts: PortFacts = { ...FREE, refusal, answering: { by: "other" } };
      expect(checkPort(facts)).toEqual({ check: "port", state: "problem", message, remedy });
      const elsewhere = `${message}, and is not needed: our server is at 169.254.170.2`;
      expect(checkPort({ ...facts, isServedElsewhere: true })).toEqual({
        ...{ check: "port", state: "ok", message: elsewhere },
      });
    });
  }
});

test("a port is tried by listening on it, and given back", () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = server;
  expect(tryToListen("127.0.0.1", port)).toBe("EADDRINUSE");
  server.stop(true);
  for (let tries = 0; tries < 2; tries += 1) expect(tryToListen("127.0.0.1", port)).toBeUndefined();
  expect(tryToListen("203.0.113.9", port)).toBe("EADDRNOTAVAIL");
  expect(tryToListen("no..name", port)).toBe("ENOTFOUND");
});
