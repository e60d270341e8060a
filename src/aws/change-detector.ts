import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../config/config.ts";
import { stampOf } from "../config/watched-files.ts";

const LOOK_EVERY_MS = 1000;
const TOKEN_FILES_MAX = 100;
/** More logins than anybody has; of what is beyond them only the names are looked at. */
const LOGIN_FILES_MAX = 2000;

/** They cannot change while the process lives, but two sources of two environments are not the same. */
const IDENTITY_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_ACCESS_KEY",
  "AWS_SECRET_KEY",
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
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
export function createChangeDetector(options: { readonly env: Environment; readonly now: () => number }): () => string {
  const { env, now } = options;
  const files = identityFiles(env);
  const named = [env.AWS_WEB_IDENTITY_TOKEN_FILE, env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE].filter((path) => path);
  const variables = Bun.hash(IDENTITY_VARIABLES.map((name) => env[name] ?? "").join("|"));
  let lookedAt = Number.NEGATIVE_INFINITY;
  let current = "";
  const inis = [files.config, files.credentials].map((path) => lookAtIni(path));
  const folders = [files.ssoCache, files.loginCache].map((folder) => lookAtLogins(folder));

  return () => {
    const at = now();
    // A clock that was set back must not blind us for as long as it was wrong.
    if (at - lookedAt < LOOK_EVERY_MS && at >= lookedAt) return current;
    lookedAt = at;
    const profiles = inis.map((look) => look());
    const ofProfiles = profiles.flatMap(({ tokens }) => tokens).slice(0, TOKEN_FILES_MAX);
    const tokens = [...named, ...ofProfiles].map((path) => stampOf(path ?? ""));
    const logins = folders.map((look) => look());
    const next = [variables, ...profiles.map(({ stamp }) => stamp), ...tokens, ...logins].join("|");
    if (next !== current) current = next;
    return current;
  };
}

/** Of each file: `aws sso login` writes its own in place, which leaves the folder's time as it was. */
function lookAtLogins(folder: string): () => string {
  let last = "";
  return () => {
    const names = unlessMissing(() => readdirSync(folder), []);
    // A process that is out of descriptors would else forget all that is cached.
    if (names === undefined) return last;
    const logins = names.filter((name) => name.endsWith(".json")).sort();
    const of = logins.map((name, at) => (at < LOGIN_FILES_MAX ? name + stampOf(join(folder, name)) : name));
    last = `${Bun.hash(of.join("|"))}`;
    return last;
  };
}

/** The file's stamp, and the web identity tokens that it names. */
function lookAtIni(path: string): () => { readonly stamp: string; readonly tokens: readonly string[] } {
  let readAs = "";
  let tokens: readonly string[] = [];
  return () => {
    const stamp = stampOf(path);
    // The read of a pipe would stop the whole server.
    const read = () => (statSync(path).isFile() ? readFileSync(path, "utf8") : "");
    const text = stamp === readAs ? undefined : unlessMissing(read, "");
    if (text !== undefined) {
      const found = text.matchAll(/^\s*web_identity_token_file\s*=\s*(.*\S)\s*$/gm);
      tokens = Array.from(found, ([, token = ""]) => token);
      readAs = stamp;
    }
    return { stamp, tokens };
  };
}

/** The result of `read`, `missing` if there is no such file, undefined if it cannot be read. */
function unlessMissing<T>(read: () => T, missing: T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as { code?: string };
    return code === "ENOENT" || code === "ENOTDIR" ? missing : undefined;
  }
}

/** The files of the AWS command line that describe an identity; none of them need exist. */
export interface IdentityFiles {
  readonly config: string;
  readonly credentials: string;
  /** The folders where `aws sso login` and `aws login` keep what they got. */
  readonly ssoCache: string;
  readonly loginCache: string;
}

/**
 * @param env `HOME`, `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` count; a leading `~/` in them is the home
 * @returns the paths, by the rules of the SDK
 */
export function identityFiles(env: Environment): IdentityFiles {
  const home = env.HOME || env.USERPROFILE || homedir();
  const expand = (path: string): string => (path.startsWith("~/") ? join(home, path.slice(2)) : path);
  return {
    config: expand(env.AWS_CONFIG_FILE || "~/.aws/config"),
    credentials: expand(env.AWS_SHARED_CREDENTIALS_FILE || "~/.aws/credentials"),
    ssoCache: join(home, ".aws", "sso", "cache"),
    loginCache: join(home, ".aws", "login", "cache"),
  };
}
