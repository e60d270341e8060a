import { expect } from "bun:test";
import { join } from "node:path";
import { note } from "../secrets.ts";
import { prepareGo } from "../tools.ts";

/** What a program made of the endpoints that it read: names and values. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A container or a task, as the collector's receiver describes and measures it. */
export interface Measured {
  readonly attributes: Attributes;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The variables that say where the endpoints are. */
type Endpoints = Readonly<Record<string, string>>;

export const go = prepareGo("consumers/go", join(import.meta.dir, "go"));
const GO_CLIENT = "folder" in go ? join(go.folder, "client") : "";
const js = (name: string) => [process.execPath, join(import.meta.dir, name)];

/** A place for the client in Go within a container, which has it at `GO_IN_CONTAINER`. */
export const GO_BIND = `${GO_CLIENT}:/client:ro`;
export const GO_IN_CONTAINER = "/client";

/** The last of so many rounds, which are a second apart: the first find no sample yet. */
export async function receive(endpoints: Endpoints, rounds: number): Promise<Measured[]> {
  const lines = await run([GO_CLIENT, "receiver", String(rounds)], endpoints);
  return lastRound(lines);
}

/** The last of the lines that the receiver printed. */
export function lastRound(lines: string): Measured[] {
  return JSON.parse(lines.trim().split("\n").at(-1) ?? "");
}

export async function detectInGo(endpoints: Endpoints): Promise<Attributes> {
  return JSON.parse(await run([GO_CLIENT, "detector"], endpoints));
}

export async function detectInJavaScript(endpoints: Endpoints): Promise<Attributes> {
  return JSON.parse(await run(js("js-detector.ts"), endpoints));
}

/** The document of aws-embedded-metrics, which holds what it knows of its container beside the metric. */
export async function logEmbeddedMetric(endpoints: Endpoints): Promise<Attributes> {
  return JSON.parse(await run(js("emf-logger.ts"), endpoints));
}

/** Runs a client to its end with nothing of this environment; gives what it prints. It may not complain. */
async function run(command: string[], endpoints: Endpoints): Promise<string> {
  const child = Bun.spawn(command, {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", ...endpoints },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  note(`${stdout}${stderr}`);
  expect({ stderr, exitCode: await child.exited }).toEqual({ stderr: "", exitCode: 0 });
  return stdout;
}
