import { basename, dirname, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { AppError } from "../../errors.ts";
import { readVariables } from "./dotenv.ts";
import { aliasFault, duplicateKey } from "./faults.ts";
import type { Files } from "./find-files.ts";
import { interpolate, interpolateAll } from "./interpolate.ts";
import { beyondUs } from "./own-limit.ts";
import {
  isRecord,
  isText,
  mergeServices,
  type Project,
  type ProjectNetwork,
  projectName,
  type Raw,
  type Service,
  textOf,
  toNetworks,
  toService,
} from "./project.ts";
import { readText } from "./read.ts";

const EXTENDS_MAX = 16;

/**
 * The project as its files say it, read without Compose: merge keys, variables, `extends` and several files. What takes
 * Compose itself is named in `unresolved`.
 *
 * @throws AppError `command-failed` for a file that is no YAML, or a service that extends what is not there
 */
export function readProject(files: Files): Project {
  const unresolved: string[] = [];
  const parsed = once((path) => unlessTooDeep(path, () => parse(path, readText(path), unresolved)));
  const name = nameOf(files, parsed);
  // Compose has the name in that variable, wherever it is from.
  const env = { ...files.env, COMPOSE_PROJECT_NAME: name };
  const read = once((path) => unlessTooDeep(path, () => interpolateAll(parsed(path), env, path) as Raw));
  const services = new Map<string, Service>();
  const networks: ProjectNetwork[] = [];
  for (const path of files.paths) {
    const document = read(path);
    networks.push(...toNetworks(document.networks));
    if (document.include !== undefined) {
      unresolved.push(`${path} includes other files, whose services only the docker compose plugin can tell`);
    }
    const { services: listed = {} } = document;
    if (!isRecord(listed)) throw failed(`${path} has services that are no map`);
    for (const [key, raw] of Object.entries(listed)) {
      if (raw === null && services.has(key)) continue;
      if (!isRecord(raw)) throw failed(`service '${key}' of ${path} is no map`);
      if (raw.provider !== undefined) continue;
      // Paths of a project's files start from its folder, those of a file that is extended from that file's.
      const service = readService(key, document, path, files.directory, read, 0);
      const before = services.get(key);
      services.set(key, before === undefined ? service : mergeServices(before, service));
    }
  }
  return { name, services: [...services.values()], networks, unresolved: [...new Set(unresolved)] };
}

function once<T>(make: (path: string) => T): (path: string) => T {
  const made = new Map<string, T>();
  return (path) => {
    const one = made.get(path) ?? make(path);
    made.set(path, one);
    return one;
  };
}

/** The variable's, else that of the last file that has one, else the folder's. */
function nameOf({ paths, directory, env }: Files, parsed: (path: string) => Raw): string {
  if (env.COMPOSE_PROJECT_NAME) return env.COMPOSE_PROJECT_NAME;
  const path = paths.findLast((each) => textOf(parsed(each).name));
  const name = path === undefined ? "" : interpolate(String(parsed(path).name), env, `${path}: name`);
  return projectName(name) || projectName(basename(directory)) || "default";
}

function readService(
  name: string,
  document: Raw,
  path: string,
  directory: string,
  read: (path: string) => Raw,
  depth: number,
): Service {
  const raw = isRecord(document.services) ? document.services[name] : undefined;
  if (raw === undefined) throw failed(`${path} has no service '${name}', which another one extends`);
  if (depth > EXTENDS_MAX)
    throw beyondUs(`service '${name}' of ${path} extends more than ${EXTENDS_MAX} others, or itself`);
  const own = isRecord(raw) ? raw : {};
  const service = toService(name, own, envFileVariables(own.env_file, directory));
  const base = isText(own.extends) ? { service: own.extends } : own.extends;
  if (!isRecord(base)) return service;
  const file = textOf(base.file);
  const [from, folder] =
    file === undefined ? [path, directory] : [resolve(directory, file), dirname(resolve(directory, file))];
  const extended = readService(
    String(base.service),
    file === undefined ? document : read(from),
    from,
    folder,
    read,
    depth + 1,
  );
  return mergeServices(extended, service);
}

function envFileVariables(value: unknown, directory: string): string[] {
  const entries = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return entries.flatMap((entry) => {
    const path = isRecord(entry) ? textOf(entry.path) : textOf(entry);
    if (path === undefined) return [];
    try {
      return Object.keys(readVariables(resolve(directory, path)));
    } catch (error) {
      if (isRecord(entry) && entry.required === false) return [];
      throw error;
    }
  });
}

/** The stack's end as an error; whatever else the parser says may quote the file. */
function unlessTooDeep<T>(path: string, what: () => T): T {
  try {
    return what();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw beyondUs(`${path} cannot be read as YAML: it is nested too deep`);
  }
}

/** Its errors tell the place and never the text, which may be a secret. */
function parse(path: string, text: string, unresolved: string[]): Raw {
  const lines = new LineCounter();
  const document = parseDocument(text, { merge: true, uniqueKeys: false, logLevel: "error", lineCounter: lines });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `at line ${line}, column ${col}`;
  };
  const [error] = document.errors;
  if (error?.code === "MULTIPLE_DOCS") {
    throw beyondUs(
      `${path} is more than one YAML document ${place(error.pos[0])}, which only the docker compose plugin reads`,
    );
  }
  if (error) {
    throw failed(`${path} is not YAML: ${error.code.toLowerCase().replaceAll("_", " ")} ${place(error.pos[0])}`);
  }
  const fault = duplicateKey(document) ?? aliasFault(document);
  if (fault) throw (fault.isOwnLimit ? beyondUs : failed)(`${path} has ${fault.what} ${place(fault.offset)}`);
  if (document.warnings.some(({ code }) => code === "TAG_RESOLVE_FAILED")) {
    unresolved.push(`${path} has tags such as !reset, which only the docker compose plugin follows`);
  }
  // Counted above, merge keys as well.
  const value: unknown = document.toJS({ maxAliasCount: -1 }) ?? {};
  if (isRecord(value)) return value;
  throw failed(`${path} is no Compose file: it holds no map`);
}

function failed(message: string): AppError {
  return new AppError("command-failed", message);
}
