import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../errors.ts";
import type { Plan } from "./plan.ts";

const BOOT_ID_PATH = "/proc/sys/kernel/random/boot_id";
const NAMESPACE_PATH = "/proc/self/ns/net";

// A name of an interface becomes a part of a path, and to iptables a plus at its end stands for any others. iptables lists it
// without quotes, so that one with a dash before it or a quote in it reads like other words. To the kernel `all` and `default` are
// every interface, and `lo` is the machine itself.
const interfaceName = Type.String({ pattern: '^(?!-|(?:\\.{1,2}|lo|all|default)$)[^\\s/+"]{1,15}$' });
const port = Type.Integer({ minimum: 1, maximum: 65_535 });

const StateSchema = Type.Object({
  /** Counts up when plan.ts makes other steps of the same: they are planned anew from here. */
  version: Type.Literal(2),
  /** The start of the machine that it is of. */
  boot: Type.String(),
  backend: Type.Optional(Type.Union([Type.Literal("nf_tables"), Type.Literal("legacy")])),
  /** What the command line asked for: without bridges, the engine's. */
  asked: Type.Object({ port, bridges: Type.Optional(Type.Array(interfaceName)), loopback: Type.Boolean() }),
  /** What may stand, oldest first. It says no command and no rule, so that the file can ask for nothing but what `up` does. */
  made: Type.Array(
    Type.Union([
      Type.Object({
        ...{ kind: Type.Literal("rules"), port },
        bridges: Type.Array(
          Type.Object({
            name: interfaceName,
            ifindex: Type.Optional(Type.Integer({ minimum: 1 })),
            was: Type.String({ pattern: "^-?\\d{1,10}$" }),
          }),
        ),
      }),
      Type.Object({ kind: Type.Literal("address"), was: Type.Boolean() }),
    ]),
  ),
});

export type State = Omit<Static<typeof StateSchema>, "made"> & { readonly made: readonly Plan[] };
export type Asked = State["asked"];

/** Whether a text can be the name of an interface that leads to containers. */
export function isInterfaceName(name: string): boolean {
  return Value.Check(interfaceName, name);
}

/** What tells one start of the machine from another. */
export function bootId(): string {
  return readFileSync(BOOT_ID_PATH, "utf8").trim();
}

/** The file of this network namespace: rules and sysctls are of one, and containers may share a /run. */
export function statePath(folder: string): string {
  return join(folder, `${statSync(NAMESPACE_PATH).ino}.json`);
}

const REMOVE = "remove it and run network down, which then goes by the chains that stand";

/**
 * What an earlier call wrote; undefined where there is nothing, or where the machine was started anew since.
 *
 * @throws AppError `network-failed` for a file that nobody of ours wrote, or could write
 */
export function readState(path: string, boot: string): State | undefined {
  let content: string;
  try {
    checkFolder(dirname(path));
    content = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "ENOENT") return undefined;
    if (cause instanceof AppError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("network-failed", `${path} cannot be read: ${why}`, { hint: `${REMOVE}, as root`, cause });
  }
  const state = parse(content);
  if (state === undefined) {
    throw new AppError("network-failed", `${path} is not what network up writes`, { hint: REMOVE });
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
 * Writes it in one step: a reader sees the old one or the new one. Without a state the file goes.
 *
 * @throws AppError `network-failed`
 */
export function writeState(path: string, state: State | undefined): void {
  makeFolder(dirname(path));
  const next = `${path}.new`;
  try {
    rmSync(next, { force: true });
    if (state === undefined) rmSync(path, { force: true });
    else {
      // `x` makes a file of its own: what is there by that name is neither written to nor followed.
      writeFileSync(next, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o644, flag: "wx" });
      renameSync(next, path);
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("network-failed", `${basename(path)} cannot be written to ${dirname(path)}: ${why}`, {
      hint: "make /run writable",
      cause,
    });
  }
}

/**
 * The folder of state and lock. It is empty after a start of the machine, as rules and sysctls are. It is nobody else's: a unit of
 * systemd's that runs the server may give /run/ecs-local-endpoints to the server's user.
 */
export const FOLDER = "/run/ecs-local-endpoints-network";

/**
 * Makes a folder that we alone write to, unless it is there.
 *
 * @throws AppError `network-failed` as {@link checkFolder}, or where it cannot be made
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "EEXIST") {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AppError("network-failed", `${path} cannot be made: ${why}`, { hint: "make /run writable", cause });
    }
  }
  checkFolder(path);
}

/**
 * Refuses a folder that somebody else than root or this user could have put things into.
 *
 * @throws AppError `network-failed`; ENOENT where there is none
 */
function checkFolder(path: string): void {
  const found = lstatSync(path);
  const { uid, mode } = found;
  const why = !found.isDirectory()
    ? "is no folder"
    : uid !== 0 && uid !== process.geteuid?.()
      ? `belongs to the user ${uid}`
      : mode & 0o022
        ? `can be written to by others (mode ${(mode & 0o777).toString(8)})`
        : undefined;
  if (why === undefined) return;
  throw new AppError("network-failed", `${path} ${why}, so what it says of the network's rules is not trusted`, {
    hint: `remove it (rm -r ${path}) and run this again: network down then goes by the chains that stand`,
  });
}
