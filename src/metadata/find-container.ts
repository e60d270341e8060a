import type { Caller } from "../engine/caller.ts";
import type { Container } from "../engine/container.ts";
import { AppError } from "../errors.ts";
import { LABELS, taskKey } from "./task.ts";

/** How a path names a container, for the error that says what to ask instead. */
export type Example = (name: string) => string;

const CANDIDATES_LISTED_MAX = 10;
const SHORT_ID_LENGTH = 12;

/**
 * The container that an identifier in a path means. In order: the exact id, the exact name, the exact service, the short id, then one
 * pool of id prefixes and parts of names, because `db` and `cafe` are hexadecimal too and a prefix must not win over a
 * name. At each step the members of the caller's task come first, then those that run, then the caller itself.
 *
 * @param wholeOnly whether a prefix of an id and a part of a name mean nothing
 * @throws AppError `container-unknown` or `container-ambiguous`, which list the candidates
 */
export function findContainer(
  all: Iterable<Container>,
  identifier: string,
  caller: Caller,
  wholeOnly = false,
): Container {
  const containers = [...all];
  const isPart = ({ id, name }: Container) => id.startsWith(identifier.toLowerCase()) || name.includes(identifier);
  const steps: ((container: Container) => boolean)[] = [
    (container) => container.id === identifier,
    (container) => container.name === identifier,
    (container) => serviceNames(container).includes(identifier),
    // The short id that commands print, and a container's hostname.
    ({ id }) => identifier.length === SHORT_ID_LENGTH && id.startsWith(identifier),
    isPart,
  ];
  for (const matches of identifier === "" ? [] : steps) {
    const found = containers.filter(matches);
    const chosen = narrow(found, caller);
    if (chosen === "none") continue;
    if (wholeOnly && matches === isPart) {
      throw new AppError("container-unknown", `'${shorten(identifier)}' is only a part of: ${list(found)}`, {
        hint: "for a change use a full container name",
      });
    }
    if (chosen !== "several") return chosen;
    throw new AppError("container-ambiguous", `'${shorten(identifier)}' means several containers: ${list(found)}`, {
      hint: "use a full container name",
    });
  }
  const running = containers.filter((container) => container.running);
  throw new AppError("container-unknown", `No container has '${shorten(identifier)}' as its id, name or service`, {
    hint: running.length === 0 ? "no container is running" : `running are: ${list(running)}`,
  });
}

/** Whether an identifier is a whole id or name: then it means the same to every caller. */
export function isExact(all: Iterable<Container>, identifier: string): boolean {
  for (const { id, name } of all) if (id === identifier || name === identifier) return true;
  return false;
}

function serviceNames(container: Container): (string | undefined)[] {
  return [container.labels[LABELS.service], container.labels[LABELS.containerName]];
}

function narrow(found: readonly Container[], caller: Caller): Container | "none" | "several" {
  if (found.length === 0) return "none";
  const self = caller.kind === "container" ? caller.container : undefined;
  const key = self && taskKey(self);
  // Outside of a project the task is the whole machine: nothing is nearer than the rest.
  const near = key === undefined ? found : preferred(found, (container) => taskKey(container) === key);
  const left = preferred(
    preferred(near, (container) => container.running),
    (container) => container.id === self?.id,
  );
  return left.length === 1 && left[0] ? left[0] : "several";
}

/** Those that pass, if any does. */
function preferred(found: readonly Container[], passes: (container: Container) => boolean): readonly Container[] {
  const passing = found.filter(passes);
  return passing.length > 0 ? passing : found;
}

/** The key of the task that a request without an identifier is about; undefined for all running containers. */
export function taskKeyOf(all: Iterable<Container>, caller: Caller, example: Example): string | undefined {
  if (caller.kind === "container") return taskKey(caller.container);
  if (caller.kind === "host") return undefined;
  if (caller.kind !== "gateway") throw unknownCaller(caller, all, example);
  const running = [...all].filter((container) => container.running);
  const keys = new Set(running.map(taskKey));
  if (keys.size > 1) throw unknownCaller(caller, running, example);
  return [...keys][0];
}

/**
 * The error for a request that names no container and comes from none.
 * It says which paths work, because that is what a person who tries one by hand needs next.
 */
export function unknownCaller(
  caller: Exclude<Caller, { kind: "container" }>,
  all: Iterable<Container>,
  example: Example,
): AppError {
  const running = [...all].filter((container) => container.running);
  const first = running.map(({ name }) => name).sort()[0];
  const kind = caller.kind !== "unknown" ? caller.kind : caller.reason === "crowded" ? "none" : caller.reason;
  const reason = {
    host: `The request came from this machine (${caller.address}), which is not a container`,
    gateway: `The request came by way of a gateway (${caller.address}), which hides the container that asks`,
    none: `The request came from ${caller.address}, which is the address of no running container`,
    several: `The request came from ${caller.address}, which several running containers have`,
    elsewhere: `The request came from ${caller.address}, and addresses do not identify containers of this engine, which is rootless or on another machine`,
  }[kind];
  const other = kind === "elsewhere" ? "run this server in a container on a network of the engine's, or " : "";
  const hint =
    first === undefined
      ? "no container is running"
      : `${other}name one in the path, as in ${example(first)}; running are: ${list(running)}`;
  return new AppError("caller-unknown", reason, { hint });
}

function list(containers: readonly Container[]): string {
  const names = containers.map((container) => container.name).sort();
  const shown = names.slice(0, CANDIDATES_LISTED_MAX).join(", ");
  return names.length > CANDIDATES_LISTED_MAX ? `${shown} and ${names.length - CANDIDATES_LISTED_MAX} more` : shown;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
