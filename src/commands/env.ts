import { existsSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import type { CommandOutput } from "../text.ts";
import { failingOnOneLine, oneLine } from "../text.ts";
import {
  FULL_URI,
  HIDING_FILES,
  HIDING_VARIABLES,
  isDots,
  isLoopback,
  isTakenBySdks,
  type Place,
  parsePlace,
  RELATIVE_URI,
  regionOf,
  variablesOf,
} from "./container-variables.ts";

export interface EnvOptions {
  readonly role?: string;
  readonly container?: string;
  readonly address?: string;
  readonly format?: string;
}

/** YAML 1.1 reads more words than true and false as no text, a number or a time as well: `no` is a region's name to us. */
const isYamlText = (value: string) => /^\/|^http|^[a-z]+-[a-z-]+-\d+$/.test(value);

/** A line for each form; what else stands in our values needs quotes in none of them. */
const FORMATS: Readonly<Record<string, (name: string, value: string) => string>> = {
  shell: (name, value) => `export ${name}=${value}`,
  dotenv: (name, value) => `${name}=${value}`,
  yaml: (name, value) => `${name}: ${isYamlText(value) ? value : `"${value}"`}`,
};

/**
 * What to set for a container, and on stderr what could keep it from working.
 *
 * @param env of the command itself: a region that it has is passed on
 * @throws AppError `bad-configuration` for an option that cannot be used
 */
export function env(options: EnvOptions, environment: Environment): CommandOutput {
  return failingOnOneLine(() => print(options, environment));
}

function print(options: EnvOptions, environment: Environment): CommandOutput {
  const { role, container, format = "shell" } = options;
  const line = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (line === undefined) {
    const known = Object.keys(FORMATS).join(", ");
    throw new AppError("bad-configuration", `--format is '${format}', which is not one of ${known}`);
  }
  if (container !== undefined && (!/^[\w.-]+$/.test(container) || isDots(container))) {
    throw new AppError("bad-configuration", `--container is '${container}', which is not a container's name`, {
      hint: "give the name, the Compose service or the id, as docker ps shows it",
    });
  }
  const place = options.address === undefined ? undefined : parsePlace(options.address);
  const variables = variablesOf({ place, role, container, region: regionOf(environment) });
  return {
    stdout: Object.entries(variables).map(([name, value]) => `${line(name, value)}\n`),
    stderr: [
      ...(place === undefined ? [] : placeHints(place, variables, container)),
      ...(format === "shell" ? shellHints(variables, environment) : []),
    ],
  };
}

function placeHints(place: Place, variables: Record<string, string>, container: string | undefined): string[] {
  const hints: string[] = [];
  // The names of the engine's machine are let in without.
  const isForeign = /^[\w-]+(\.[\w-]+)+$/.test(place.host) && isIP(place.host) === 0 && !/\.internal$/.test(place.host);
  const condition = isForeign ? " once ECS_LOCAL_ALLOWED_HOSTS has that name" : "";
  if (variables[FULL_URI] !== undefined && !isTakenBySdks(place.host)) {
    hints.push(
      `warning: most SDKs refuse http://${place.host} for credentials: they take loopback and 169.254.170.2; metadata works${condition}`,
    );
  } else if (variables[FULL_URI] !== undefined && !isLoopback(place.host)) {
    hints.push(`warning: older SDKs refuse http://${place.host} with a port of its own: they take loopback alone`);
  }
  if (isLoopback(place.host) && container === undefined) {
    hints.push("hint: a caller by loopback is not a container: name one with --container for its metadata");
  }
  return hints;
}

/** What is set in the shell that these lines are for, and gets in their way. */
function shellHints(variables: Record<string, string>, environment: Environment): string[] {
  const other = variables[FULL_URI] === undefined ? FULL_URI : RELATIVE_URI;
  const hints = [...HIDING_VARIABLES, other].filter((name) => environment[name]);
  return [
    ...hints.map((name) => `hint: ${name} is set in this environment and gets in the way: unset ${name}`),
    ...fileHints(environment),
  ];
}

/** A variable that names a file is no better unset: SDKs read ~/.aws then. */
function fileHints(environment: Environment): string[] {
  const found = HIDING_FILES.flatMap(([variable, name]) => {
    const usual = environment.HOME ? join(environment.HOME, ".aws", name) : "";
    const path = environment[variable] || usual;
    return existsSync(path) && statSync(path).isFile() ? [path] : [];
  });
  if (found.length === 0) return [];
  const nothing = HIDING_FILES.map(([variable]) => `${variable}=/dev/null`).join(" ");
  return [
    oneLine(
      `hint: keys of a default profile in ${found.join(" or ")}, if it has any, come before the endpoint: export ${nothing}`,
    ),
  ];
}
