import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { createRealEngine, type RealEngine } from "./real-engine.ts";

export const FULL = process.env.FULL === "1";

export interface EngineUnderTest {
  readonly engine: RealEngine;
  /** A free subnet's first three numbers. Engines share the host's networks: each takes from a range of its own. */
  readonly freeSubnet: () => string;
}

interface Found {
  readonly engines: readonly { readonly name: string; readonly socket: string }[];
  /** Why there is none. */
  readonly reason: string;
}

const found: Found = await findEngines();

/** A test that needs several engines at once, by name. Where one is missing, it is skipped by name. */
export function describeTogether(what: string, names: readonly string[], body: (engines: RealEngine[]) => void): void {
  const engines = names.flatMap((name) => found.engines.filter((each) => each.name === name));
  if (engines.length < names.length) {
    const reason = `ENGINES does not name all of ${names.join(", ")}`;
    if (process.env.CI === "true") test(`${what}, as CI=true requires`, () => expect(names, reason).toBeEmpty());
    else describe.skip(`${what} (skipped: ${reason})`, () => body([]));
    return;
  }
  describe(what, () => {
    const made = engines.map(({ name, socket }) => createRealEngine(name, socket));
    beforeAll(() => Promise.all(made.map((engine) => engine.cleanUp())), 30_000);
    afterAll(() => Promise.all(made.map((engine) => engine.cleanUp())), 60_000);
    body(made);
  });
}

/** The engines of `ENGINES` ("name=unix:///path name=..."), else the one that the docker command would ask. */
async function findEngines(): Promise<Found> {
  const given = process.env.ENGINES?.trim();
  if (given) {
    const engines = given.split(/\s+/).map((entry) => {
      const [name = "", host = ""] = entry.split("=");
      return { name, socket: host.replace(/^unix:\/\//, "") };
    });
    return { engines, reason: "" };
  }
  const host = process.env.DOCKER_HOST || "unix:///var/run/docker.sock";
  if (!host.startsWith("unix://")) return { engines: [], reason: `DOCKER_HOST is ${host}, not a unix socket` };
  const socket = host.slice("unix://".length);
  const answers = await fetch("http://engine/_ping", { unix: socket, signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.ok,
    () => false,
  );
  if (answers) return { engines: [{ name: "docker", socket }], reason: "" };
  return { engines: [], reason: `no engine answers at ${host}` };
}

/** The same tests on each engine. Where there is none, they are skipped by name. */
export function describeEngines(what: string, body: (context: EngineUnderTest) => void): void {
  if (found.engines.length === 0) {
    if (process.env.CI === "true") {
      test(`${what} on a real engine, as CI=true requires`, () => expect(found.engines, found.reason).not.toBeEmpty());
      return;
    }
    const context = { engine: createRealEngine("none", "/nonexistent"), freeSubnet: () => "" };
    describe.skip(`${what} on a real engine (skipped: ${found.reason})`, () => body(context));
  }
  found.engines.forEach(({ name, socket }, index) => {
    describe(`${what} on ${name}`, () => {
      const engine = createRealEngine(name, socket);
      beforeAll(engine.cleanUp, 30_000);
      afterAll(engine.cleanUp, 60_000);
      body({ engine, freeSubnet: () => freeSubnet(index) });
    });
  });
}

let subnets = 0;

/** Never the same twice in a run: an engine may not have given up a network that was removed a moment ago. */
function freeSubnet(index: number): string {
  const taken = Object.values(networkInterfaces()).flatMap((entries) => entries?.map(({ address }) => address) ?? []);
  for (;;) {
    const base = `172.${29 + (index % 3)}.${subnets++ % 256}`;
    if (!taken.some((address) => address.startsWith(`${base}.`))) return base;
  }
}
