import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../config.ts";
import { identityFiles } from "./identity-files.ts";

const LOOK_EVERY_MS = 1000;
const SSO_FILES_MAX = 100;

const IDENTITY_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN",
];

/**
 * Tells whether the identity may have changed, without the SDK and without reading a secret from a file.
 *
 * @param options.now milliseconds; the files are looked at, at most once a second, by their times and sizes: inotify
 *   is lost on bind mounts
 * @returns a function whose answer differs once a variable, an AWS file or the SSO cache has changed
 */
export function createFingerprint(options: { readonly env: Environment; readonly now: () => number }): () => string {
  const files = identityFiles(options.env);
  let lookedAt = Number.NEGATIVE_INFINITY;
  let current = "";

  return () => {
    const at = options.now();
    // A clock that was set back must not blind us for as long as it was wrong.
    if (at - lookedAt < LOOK_EVERY_MS && at >= lookedAt) return current;
    lookedAt = at;
    const facts = [files.config, files.credentials, ...ssoTokens(files.ssoCache)].map(stamp).join("|");
    const variables = IDENTITY_VARIABLES.map((name) => options.env[name] ?? "").join("|");
    const next = `${Bun.hash(variables)}|${facts}`;
    if (next !== current) current = next;
    return current;
  };
}

/** `aws sso login` writes its file in place, which leaves the folder's own time as it was. */
function ssoTokens(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    return names
      .sort()
      .slice(0, SSO_FILES_MAX)
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function stamp(path: string): string {
  try {
    const facts = statSync(path);
    return `${facts.mtimeMs},${facts.size},${facts.ino}`;
  } catch {
    return "-";
  }
}
