import { readFileSync, statSync } from "node:fs";
import { readToken } from "../../config/access.ts";
import { AppError } from "../../errors.ts";
import type { Rule } from "./rule.ts";

const LOOK_EVERY_MS = 1_000;

/**
 * Asks for the token that SDKs send as `Authorization`, verbatim, from `AWS_CONTAINER_AUTHORIZATION_TOKEN`: without one
 * `unauthorized`, with another `forbidden`. A file is read again when its time, size or inode has changed; where that
 * fails nobody is let in.
 *
 * @param now milliseconds of a clock that nobody sets
 * @throws AppError `bad-configuration` when the file cannot be read at the start
 */
export function createTokenRule(
  config: { readonly authToken: string | undefined; readonly authTokenFile: string | undefined },
  now: () => number,
): Rule | undefined {
  const { authToken, authTokenFile } = config;
  if (authToken !== undefined) {
    const digest = digestOf(authToken);
    return ({ headers }) => check(headers, digest);
  }
  if (authTokenFile === undefined) return undefined;
  const read = () => digestOf(readToken(authTokenFile, (path) => readFileSync(path, "utf8")));
  let digest: Uint8Array | undefined = read();
  let seen = stampOf(authTokenFile);
  let lookedAtMs = now();

  return ({ headers }) => {
    if (now() - lookedAtMs >= LOOK_EVERY_MS) {
      lookedAtMs = now();
      const stamp = stampOf(authTokenFile);
      // A file that is being written may be empty for a moment: until it can be read, it is looked at again.
      if (stamp !== seen || digest === undefined) {
        seen = stamp;
        digest = attempt(read);
      }
    }
    check(headers, digest);
  };
}

function check(headers: Headers, wanted: Uint8Array | undefined): void {
  const given = headers.get("authorization");
  if (given === null) {
    throw new AppError("unauthorized", "The request carries no Authorization, and this server asks for a token", {
      hint: "set AWS_CONTAINER_AUTHORIZATION_TOKEN of the container to the value of ECS_LOCAL_AUTH_TOKEN",
    });
  }
  if (wanted !== undefined && isSame(digestOf(given), wanted)) return;
  throw new AppError("forbidden", "The Authorization of the request is not this server's token", {
    hint: "compare AWS_CONTAINER_AUTHORIZATION_TOKEN of the container with ECS_LOCAL_AUTH_TOKEN or its file",
  });
}

/** Of this process alone: who guesses cannot choose what the digests look like. */
const KEY = crypto.getRandomValues(new Uint8Array(32));

function digestOf(token: string): Uint8Array {
  return new Bun.CryptoHasher("sha256", KEY).update(token).digest();
}

/** Takes the same time wherever two digests differ. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

function stampOf(path: string): string {
  const facts = attempt(() => statSync(path));
  return facts ? `${facts.mtimeMs},${facts.size},${facts.ino}` : "-";
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
