import { timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { readToken } from "../../config/access.ts";
import { AppError } from "../../errors.ts";

const LOOK_EVERY_MS = 1_000;

/**
 * Asks for the token that SDKs send as `Authorization`, verbatim, from `AWS_CONTAINER_AUTHORIZATION_TOKEN`: without one
 * `unauthorized`, with another `forbidden`. A file is read again when its time, size or inode has changed; where that
 * fails, all callers are refused.
 *
 * @param now milliseconds of a monotonic clock
 * @throws AppError `bad-configuration` when the file cannot be read at the start
 */
export function createTokenRule(
  config: { readonly authToken: string | undefined; readonly authTokenFile: string | undefined },
  now: () => number,
): ((request: Request) => void) | undefined {
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
  if (wanted !== undefined && timingSafeEqual(digestOf(given), wanted)) return;
  throw new AppError("forbidden", "The Authorization of the request is not this server's token", {
    hint: "compare AWS_CONTAINER_AUTHORIZATION_TOKEN of the container with ECS_LOCAL_AUTH_TOKEN or its file",
  });
}

/** Random for each process: digests of equal length, which cannot be guessed. */
const KEY = crypto.getRandomValues(new Uint8Array(32));

function digestOf(token: string): Uint8Array {
  return new Bun.CryptoHasher("sha256", KEY).update(token).digest();
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
