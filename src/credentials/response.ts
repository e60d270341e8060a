import type { Credentials } from "../aws/contract.ts";

/** What is sent, and the expiration as it stands there, for the log. */
export interface WireCredentials {
  readonly body: string;
  readonly expiration: string;
}

const written = new WeakMap<Credentials, WireCredentials>();

/**
 * The agent's credential body, with the keys in its order and the end in whole seconds, rounded down.
 *
 * @returns the same object for the same credentials, so that a cached answer costs one look-up
 */
export function toWire(credentials: Credentials): WireCredentials {
  const known = written.get(credentials);
  if (known !== undefined) return known;
  const expiration = `${new Date(credentials.expiration).toISOString().slice(0, 19)}Z`;
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
