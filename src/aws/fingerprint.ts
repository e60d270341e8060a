import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../config.ts";
import { identityFiles } from "./identity-files.ts";
import type { Stamps } from "./stamps.ts";

const LOOK_EVERY_MS = 1000;
const TOKEN_FILES_MAX = 100;
/** More logins than anybody has; of what is beyond them only the names are looked at. */
const LOGIN_FILES_MAX = 2000;

/** They cannot change while the process lives, but two sources of two environments are not the same. */
const IDENTITY_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];

/**
 * Tells whether the identity may have changed, without the SDK: by the AWS files, the web identity tokens that they or
 * the environment name, the token of the container's endpoint, and what logins have left. Keys in the environment of a
 * process that runs cannot change.
 *
 * @param options.now milliseconds; the files are looked at, at most once a second, by their times, sizes and inodes:
 *   inotify is lost on bind mounts
 * @returns a function whose answer differs once one of them has changed
 */
export function createFingerprint(options: {
  readonly env: Environment;
  readonly now: () => number;
  readonly stamps: Stamps;
}): () => string {
  const { env, now, stamps } = options;
  const files = identityFiles(env);
  const named = [env.AWS_WEB_IDENTITY_TOKEN_FILE, env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE].filter((path) => path);
  const variables = Bun.hash(IDENTITY_VARIABLES.map((name) => env[name] ?? "").join("|"));
  let lookedAt = Number.NEGATIVE_INFINITY;
  let current = "";
  let iniStamp = "";
  let ofProfiles: readonly string[] = [];

  return () => {
    const at = now();
    // A clock that was set back must not blind us for as long as it was wrong.
    if (at - lookedAt < LOOK_EVERY_MS && at >= lookedAt) return current;
    lookedAt = at;
    const ini = `${stamps.of(files.config)}|${stamps.of(files.credentials)}`;
    if (ini !== iniStamp) {
      iniStamp = ini;
      ofProfiles = [files.config, files.credentials].flatMap(webIdentityTokens).slice(0, TOKEN_FILES_MAX);
    }
    const tokens = [...named, ...ofProfiles].map((path) => stamps.of(path ?? "")).join("|");
    const next = `${variables}|${ini}|${tokens}|${logins(files.ssoCache, stamps)}|${logins(files.loginCache, stamps)}`;
    if (next !== current) current = next;
    return current;
  };
}

/** Of each file: `aws sso login` writes its own in place, which leaves the folder's time as it was. */
function logins(folder: string, stamps: Stamps): string {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    const of = names.sort().map((name, at) => (at < LOGIN_FILES_MAX ? name + stamps.of(join(folder, name)) : name));
    return `${Bun.hash(of.join("|"))}`;
  } catch {
    return "";
  }
}

function webIdentityTokens(ini: string): string[] {
  try {
    // The read of a pipe would stop the whole server.
    if (!statSync(ini).isFile()) return [];
    const found = readFileSync(ini, "utf8").matchAll(/^\s*web_identity_token_file\s*=\s*(.*\S)\s*$/gm);
    return Array.from(found, ([, path = ""]) => path);
  } catch {
    return [];
  }
}
