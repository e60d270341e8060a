import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../errors.ts";

/**
 * The folder of state and lock, empty after a restart, as rules and sysctls are. /run/ecs-local-endpoints may belong to
 * the user of a systemd unit, so this is another one.
 */
export const FOLDER = "/run/ecs-local-endpoints-network";

// It becomes a part of a path and a word of iptables, where a + at the end matches other names. `all`, `default` and `lo`
// stand for every interface and for the machine itself.
const interfaceName = Type.String({ pattern: '^(?!-|(?:\\.{1,2}|lo|all|default)$)[^\\s/+"]{1,15}$' });
const port = Type.Integer({ minimum: 1, maximum: 65_535 });

const OptionsSchema = Type.Object({
  port,
  bridges: Type.Optional(Type.Array(interfaceName)),
  loopback: Type.Boolean(),
});

const StateSchema = Type.Object({
  version: Type.Literal(3),
  boot: Type.String(),
  backend: Type.Optional(Type.Union([Type.Literal("nf_tables"), Type.Literal("legacy")])),
  options: OptionsSchema,
  /** Every bridge that may be open, with its `route_localnet` before us. */
  bridges: Type.Array(
    Type.Object({
      name: interfaceName,
      ifindex: Type.Integer({ minimum: 1 }),
      was: Type.String({ pattern: "^-?\\d{1,10}$" }),
    }),
  ),
});

/** What `network up` did. It is written before anything is changed. */
export type State = Static<typeof StateSchema>;
/** The options of `network up`. Without bridges, those of the engine. */
export type UpOptions = Static<typeof OptionsSchema>;

/** Whether a text can be the name of a bridge. */
export function isInterfaceName(name: string): boolean {
  return Value.Check(interfaceName, name);
}

/** The file of this network namespace: containers may share /run. */
export function statePath(folder = FOLDER): string {
  return join(folder, `${statSync("/proc/self/ns/net").ino}.json`);
}

export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/**
 * Reads the state; undefined if there is none since the last start of the machine.
 *
 * @throws AppError `network-failed` if the file is damaged, or others than root can write it
 */
export function readState(path = statePath(), boot = bootId()): State | undefined {
  const hint = "remove it and run network down";
  let content: string;
  try {
    checkFolder(dirname(path));
    content = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (cause instanceof AppError) throw cause;
    throw new AppError("network-failed", `${path} cannot be read: ${(cause as Error).message}`, { hint, cause });
  }
  const state = parse(content);
  if (state === undefined) throw new AppError("network-failed", `${path} is not what network up writes`, { hint });
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
 * Writes the state in one step, or removes it.
 *
 * @throws AppError `network-failed`
 */
export function writeState(state: State | undefined, path = statePath()): void {
  makeFolder(dirname(path));
  const next = `${path}.new`;
  try {
    rmSync(next, { force: true });
    if (state === undefined) rmSync(path, { force: true });
    else {
      // `x` never follows a link.
      writeFileSync(next, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o644, flag: "wx" });
      renameSync(next, path);
    }
  } catch (cause) {
    const text = `${path} cannot be written: ${(cause as Error).message}`;
    throw new AppError("network-failed", text, { hint: "make /run writable", cause });
  }
}

/** @throws AppError `network-failed` if the folder cannot be made, or others than root can write to it */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") {
      const text = `${path} cannot be created: ${(cause as Error).message}`;
      throw new AppError("network-failed", text, { hint: "make /run writable", cause });
    }
  }
  checkFolder(path);
}

function checkFolder(path: string): void {
  const found = lstatSync(path);
  const isForeign = found.uid !== 0 && found.uid !== process.geteuid?.();
  const reason = !found.isDirectory()
    ? "is not a folder"
    : isForeign
      ? `belongs to the user ${found.uid}`
      : found.mode & 0o022
        ? `is writable by others (mode ${(found.mode & 0o777).toString(8)})`
        : undefined;
  if (reason === undefined) return;
  throw new AppError("network-failed", `${path} ${reason}, so it is not trusted`, {
    hint: `remove it (rm -r ${path}) and run this again`,
  });
}
