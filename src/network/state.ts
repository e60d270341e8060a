import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../errors.ts";
import type { Step } from "./step.ts";

/** Of a folder that only root writes to, and that is empty after a start of the machine, as rules and sysctls are. */
export const STATE_PATH = "/run/ecs-local-endpoints/network.json";

const BOOT_ID_PATH = "/proc/sys/kernel/random/boot_id";

const text = Type.String();
// A name of an interface becomes a part of a path, and to iptables a plus at its end stands for any others. To the kernel `all`
// and `default` are every interface, and `lo` is the machine itself.
const interfaceName = Type.String({ pattern: "^(?!(?:\\.{1,2}|lo|all|default)$)[^\\s/+]{1,15}$" });
const table = Type.Union([Type.Literal("raw"), Type.Literal("filter"), Type.Literal("nat")]);

const StateSchema = Type.Object({
  version: Type.Literal(1),
  /** The start of the machine that it is of. */
  boot: text,
  backend: Type.Optional(Type.Union([Type.Literal("nf_tables"), Type.Literal("legacy")])),
  /** What the command line asked for: without bridges, the engine's. */
  asked: Type.Object({
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    bridges: Type.Optional(Type.Array(interfaceName)),
    loopback: Type.Boolean(),
  }),
  steps: Type.Array(
    Type.Union([
      Type.Object({ kind: Type.Literal("chain"), what: text, table, chain: text }),
      Type.Object({
        ...{ kind: Type.Literal("rule"), what: text, table, chain: text },
        ...{ rule: Type.Array(text), first: Type.Boolean(), leadsTo: Type.Optional(text) },
      }),
      Type.Object({
        ...{ kind: Type.Literal("sysctl"), what: text },
        ...{ bridge: interfaceName, ifindex: Type.Integer({ minimum: 1 }), was: Type.String({ pattern: "^\\d+$" }) },
      }),
      Type.Object({ kind: Type.Literal("address"), what: text, was: Type.Boolean() }),
    ]),
  ),
});

export type State = Omit<Static<typeof StateSchema>, "steps"> & { readonly steps: readonly Step[] };
export type Asked = State["asked"];

/** Whether a text can be the name of an interface that leads to containers. */
export function isInterfaceName(name: string): boolean {
  return Value.Check(interfaceName, name);
}

/** What tells one start of the machine from another. */
export function bootId(): string {
  return readFileSync(BOOT_ID_PATH, "utf8").trim();
}

/**
 * What an earlier call wrote; undefined where there is nothing, or where the machine was started anew since.
 *
 * @throws AppError `network-failed` for a file that nobody of ours wrote
 */
export function readState(path: string, boot: string): State | undefined {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "ENOENT") return undefined;
    throw new AppError("network-failed", `${path} cannot be read`, { hint: "run this as root", cause });
  }
  const state = parse(content);
  if (state === undefined) {
    const hint = `remove it and run network down, which then finds its chains by name but restores no sysctl`;
    throw new AppError("network-failed", `${path} is not what network up writes`, { hint });
  }
  return state.boot === boot ? state : undefined;
}

function parse(content: string): State | undefined {
  try {
    const value: unknown = JSON.parse(content);
    return Value.Check(StateSchema, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes it in one step: a reader sees the old one or the new one. Without a state the file and its folder go.
 *
 * @throws AppError `network-failed`
 */
export function writeState(path: string, state: State | undefined): void {
  try {
    if (state === undefined) remove(path);
    else {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      writeFileSync(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o644 });
      renameSync(`${path}.new`, path);
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("network-failed", `${path} cannot be written: ${why}`, { hint: "make /run writable", cause });
  }
}

function remove(path: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}.new`, { force: true });
  try {
    rmdirSync(dirname(path));
  } catch {
    // It was never made, or somebody else has a file in it.
  }
}
