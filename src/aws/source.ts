import type { AwsConfig } from "../config/aws.ts";
import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import { accountOf, createAssume, createMemo, type Memo } from "./assume-role.ts";
import { createClientSettings, createSts, type Sts } from "./clients.ts";
import { createIdentityResolver } from "./identity.ts";
import {
  type Credentials,
  type Identity,
  type IdentityFacts,
  type NamedSource,
  type Role,
  renewalWindowMs,
} from "./types.ts";

/** How soon a failed renewal of the identity is tried again. */
const RETRY_MS = 5000;

interface Connection {
  /** Shared by the connections of one version, so that a late answer cannot name a former account. */
  readonly memo: Memo;
  readonly identity: Identity;
  readonly sts: Sts;
  /** Milliseconds since 1970. */
  readonly renewAtMs: number;
  /** Why it could not be renewed. */
  readonly failure?: unknown;
}

/**
 * Credentials from AWS. This file and its imports load the SDK: `lazy-source.ts` imports it on first need.
 *
 * @param options.now milliseconds since 1970
 * @param options.version when it changes, the identity is resolved again
 */
export function createAwsSource(options: {
  readonly config: AwsConfig;
  readonly env: Environment;
  readonly now: () => number;
  readonly version: () => string;
  readonly processTimeoutMs?: number | undefined;
}): NamedSource {
  const { config, env, now, version, processTimeoutMs } = options;
  const settings = createClientSettings(config, env);
  const resolveIdentity = createIdentityResolver({ env, settings, now, processTimeoutMs });
  let seen = version();
  let connecting: Promise<Connection> | undefined;
  let connection: Connection | undefined;
  let memo = createMemo();
  let returned: Identity | undefined;

  async function connect(): Promise<Connection> {
    if (version() !== seen) {
      seen = version();
      connection = connecting = undefined;
      memo = createMemo();
    }
    if (connection !== undefined && now() < connection.renewAtMs) return connection;
    if (connecting !== undefined) return connecting;
    const shared = memo;
    const attempt = resolveIdentity().then(
      (identity) => {
        const expiration = expirationOf(identity);
        const renewAtMs = Number.isFinite(expiration) ? expiration - renewalWindowMs(expiration - now()) : expiration;
        const made = { memo: shared, identity, sts: createSts(identity, settings), renewAtMs };
        if (connecting === attempt) connection = made;
        return made;
      },
      (failure: unknown) => {
        if (connecting !== attempt || connection === undefined) throw failure;
        const expiration = expirationOf(connection.identity);
        if (expiration <= now()) throw failure;
        connection = { ...connection, failure, renewAtMs: Math.min(now() + RETRY_MS, expiration) };
        return connection;
      },
    );
    connecting = attempt;
    try {
      return await attempt;
    } finally {
      if (connecting === attempt) connecting = undefined;
    }
  }

  /** Runs `work` as the identity. If AWS does not accept the identity, the next call resolves it again. */
  async function asIdentity<T>(work: (connected: Connection) => Promise<T>): Promise<T> {
    const connected = await connect();
    try {
      return await work(connected);
    } catch (error) {
      const isRefused = error instanceof AppError && error.code === "identity-failed" && error !== connected.failure;
      if (isRefused && connection?.identity === connected.identity) connection = undefined;
      throw error;
    }
  }

  function session(): Promise<Credentials> {
    return asIdentity(async ({ identity, sts, failure }) => {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = identity.credentials;
      if (sessionToken === undefined) return sts.getSessionToken(config.sessionDurationSeconds ?? 3600);
      const endMs = expiration?.getTime() ?? now() + config.sharedTokenExpirationSeconds * 1000;
      if (endMs <= now()) {
        const text = `the credentials of ${identity.origin} expired at ${new Date(endMs).toISOString()}`;
        throw new AppError("identity-failed", text, { hint: identity.remedy });
      }
      // The vendor has these credentials already: it keeps them, logs the failure and tries again.
      if (failure !== undefined && returned === identity) throw failure;
      returned = identity;
      return { accessKeyId, secretAccessKey, sessionToken, expiration: endMs, roleArn: "" };
    });
  }

  const assumeAs = createAssume(config, settings);
  const assume = (role: Role, sessionName: string): Promise<Credentials> =>
    asIdentity((connected) => assumeAs(connected, role, sessionName));

  async function whoami(): Promise<IdentityFacts> {
    const connected = await connect();
    const { origin, credentials } = connected.identity;
    const facts = { origin, expiration: credentials.expiration?.getTime() };
    try {
      return { ...facts, arn: (await accountOf(connected)).arn };
    } catch (error) {
      if (error instanceof AppError) return { ...facts, failure: error };
      throw error;
    }
  }

  return { version, session, assume, whoami, warm: async () => {} };
}

/** Milliseconds since 1970; infinite for keys without an expiration. */
function expirationOf({ credentials }: Identity): number {
  return credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
}
