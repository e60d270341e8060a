import type { Credentials } from "../aws/types.ts";

/** What is sent, and the expiration as it stands there, for the log. */
export interface WireCredentials {
  readonly body: string;
  readonly expiration: string;
}

/** RFC 3339 knows no later one. */
const LAST_SECOND_MS = Date.UTC(9999, 11, 31, 23, 59, 59);
const written = new WeakMap<Credentials, WireCredentials>();

/** The end that can be written: whole seconds, rounded down, and no year after 9999. Milliseconds since 1970. */
export function wireExpiration(expiration: number): number {
  return Math.min(Math.floor(expiration / 1000) * 1000, LAST_SECOND_MS);
}

/**
 * The agent's credential body, with the keys in its order and the end as `wireExpiration` has it.
 *
 * @returns the same object for the same credentials, so that a cached answer costs one look-up
 */
export function toWire(credentials: Credentials): WireCredentials {
  const known = written.get(credentials);
  if (known !== undefined) return known;
  const expiration = `${new Date(wireExpiration(credentials.expiration)).toISOString().slice(0, 19)}Z`;
  const body = JSON.stringify({
    RoleArn: credentials.roleArn,
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    Token: credentials.sessionToken,
    Expiration: expiration,
  });
  const wire = { body, expiration };
  written.set(credentials, wire);
  return wire;
}
