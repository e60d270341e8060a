import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RealEngine } from "./real-engine.ts";

/**
 * Unpacks the layers of an image, as a registry has them.
 *
 * @returns the folder, and what removes it
 */
export async function unpackImage(engine: RealEngine, image: string) {
  const folder = mkdtempSync(join(tmpdir(), "ecs-local-image-"));
  const saved = join(folder, "saved");
  const root = join(folder, "root");
  for (const made of [saved, root]) run("mkdir", made);
  await Bun.write(join(folder, "image.tar"), await engine.call("GET", `/images/${image}/get`));
  run("tar", "-xf", join(folder, "image.tar"), "-C", saved);
  const [manifest] = (await Bun.file(join(saved, "manifest.json")).json()) as { Layers: string[] }[];
  for (const layer of manifest?.Layers ?? []) run("tar", "-xpf", join(saved, layer), "-C", root);
  return { root, remove: () => rmSync(folder, { recursive: true }) };
}

/** The libraries that an ELF file says it needs, and the loader that it names. */
export function needsOf(file: string): string[] {
  const text = run("readelf", "--dynamic", "--program-headers", "--wide", file);
  const names = text.matchAll(/\(NEEDED\)\s+Shared library: \[(.+)\]|program interpreter: \/(.+)\]/g);
  return [...names].map(([, library, loader]) => library ?? loader ?? "");
}

export function machineOf(file: string): string {
  return /Machine:\s+(.+)/.exec(run("readelf", "--file-header", file))?.[1] ?? "";
}

function run(...command: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}
