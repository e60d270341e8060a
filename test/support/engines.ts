import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { contains } from "../../src/engine/ip-address.ts";
import { createRealEngine, type RealEngine } from "./real-engine.ts";

export const FULL = process.env.FULL === "1";

export interface EngineUnderTest {
  readonly engine: RealEngine;
  /** The first three numbers of a subnet that is free on this machine. */
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
  for (const { name, socket } of found.engines) {
    describe(`${what} on ${name}`, () => {
      const engine = createRealEngine(name, socket);
      beforeAll(engine.cleanUp, 30_000);
      afterAll(engine.cleanUp, 60_000);
      body({ engine, freeSubnet });
    });
  }
}

/** What does not depend on the kind of engine: on the first one. The image tests build and run it on each. */
export function describeOneEngine(what: string, body: (engine: RealEngine) => void): void {
  describeTogether(what, [found.engines[0]?.name ?? "an engine"], ([engine]) => engine && body(engine));
}

/** Ranges that no engine takes networks from by itself come first. */
const RANGES = ["10.128", "10.192", "172.20", "192.168"].map((text) => text.split(".").map(Number));
const given = new Set<string>();

/**
 * A /24 that no network of this machine covers, never the same twice. It is random, because tests run in several
 * processes at once.
 */
export function freeSubnet(): string {
  const taken = routedNetworks();
  for (let tries = 0; tries < 4_000; tries += 1) {
    const [first = 10, second = 128] = RANGES[Math.floor(tries / 1_000)] ?? [];
    const spread = first === 10 ? 64 : first === 172 ? 12 : 1;
    const base = `${first}.${second + Math.floor(Math.random() * spread)}.${Math.floor(Math.random() * 256)}`;
    if (given.has(base) || taken.some((network) => contains(network, `${base}.1`))) continue;
    given.add(base);
    return base;
  }
  throw new Error("Every private network is taken by a route of this machine (see `ip route`)");
}

/** The networks that this machine has a route to, but for the default route, in CIDR notation. */
function routedNetworks(): string[] {
  const text = existsSync("/proc/net/route") ? readFileSync("/proc/net/route", "utf8") : "";
  const rows = text
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"));
  const address = (hex: string) =>
    hex
      .match(/../g)
      ?.reverse()
      .map((byte) => Number.parseInt(byte, 16))
      .join(".");
  const bits = (hex: string) => Number.parseInt(hex, 16).toString(2).replaceAll("0", "").length;
  return rows.flatMap((row) =>
    row[7] === undefined || bits(row[7]) === 0 ? [] : [`${address(row[1] ?? "")}/${bits(row[7])}`],
  );
}
