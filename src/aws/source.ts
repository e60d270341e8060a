import type { AwsConfig } from "../config/aws.ts";
import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import { accountOf, createAssume, createMemo, type Memo } from "./assume-role.ts";
import { createClientSettings, createSts, type Sts } from "./clients.ts";
import { createCountdown } from "./countdown.ts";
import { createIdentityResolver } from "./identity.ts";
import {
  type AwsCredentialIdentity,
  type Credentials,
  type Identity,
  type IdentityFacts,
  type NamedSource,
  type Role,
  renewalWindowMs,
} from "./types.ts";

/** How soon a renewal of the identity that failed is tried again. */
const RETRY_MS = 5000;

interface Connection {
  /** Shared by the connections of one fingerprint, so that an answer that comes late cannot name a former account. */
  readonly memo: Memo;
  readonly identity: Identity;
  readonly sts: Sts;
  /** Milliseconds until the identity is to be resolved anew. */
  readonly renewIn: () => number;
  /** Milliseconds until it is of no use. */
  readonly leftMs: () => number;
  /** Why it could not be renewed, where that was tried. */
  readonly failure?: unknown;
}

/**
 * Credentials from AWS. This file and those below it load the SDK: `online.ts` imports it on first need.
 *
 * @param options.now milliseconds since 1970
 * @param options.monotonic milliseconds of a clock that nobody sets: what has ended by either is not handed out
 * @param options.fingerprint what is remembered of the identity is forgotten when its answer changes
 */
export function createAwsSource(options: {
  readonly config: AwsConfig;
  readonly env: Environment;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly fingerprint: () => string;
  readonly processDeadlineMs?: number | undefined;
}): NamedSource {
  const { config, env, now, monotonic, fingerprint, processDeadlineMs } = options;
  const settings = createClientSettings(config, env);
  const countdown = createCountdown(now, monotonic);
  const resolveIdentity = createIdentityResolver({ env, settings, countdown, processDeadlineMs });
  let seen = fingerprint();
  let connecting: Promise<Connection> | undefined;
  let connection: Connection | undefined;
  let memo = createMemo();
  let handedOut: Identity | undefined;
  /** The last set that was good when it came. */
  let latest: Pick<Connection, "identity" | "leftMs"> | undefined;

  async function connect(): Promise<Connection> {
    if (fingerprint() !== seen) {
      seen = fingerprint();
      connection = connecting = undefined;
      memo = createMemo();
    }
    if (connection !== undefined && connection.renewIn() > 0) return connection;
    if (connecting !== undefined) return connecting;
    const shared = memo;
    const attempt = resolveIdentity().then(
      (identity) => {
        const lifeMs = lifeOf(identity);
        const leftMs = countdown(lifeMs);
        const renewIn = countdown(lifeMs === Number.POSITIVE_INFINITY ? lifeMs : lifeMs - renewalWindowMs(lifeMs));
        if (lifeMs > 0) latest = { identity, leftMs };
        const made = { memo: shared, identity, sts: createSts(identity, settings), renewIn, leftMs };
        if (connecting === attempt) connection = made;
        return made;
      },
      (failure: unknown) => {
        const left = connection?.leftMs() ?? 0;
        if (connecting !== attempt || connection === undefined || left <= 0) throw failure;
        connection = { ...connection, failure, renewIn: countdown(Math.min(RETRY_MS, left)) };
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

  /** Milliseconds. A set that was known before lives no longer because the clock was set back since. */
  function lifeOf({ credentials }: Identity): number {
    const { expiration, lifeMsMax = Number.POSITIVE_INFINITY } = credentials;
    const lifeMs = Math.min((expiration?.getTime() ?? Number.POSITIVE_INFINITY) - now(), lifeMsMax);
    const before = latest?.identity.credentials;
    const isKnown = before !== undefined && isSameSet(before, credentials);
    return isKnown ? Math.min(lifeMs, latest?.leftMs() ?? lifeMs) : lifeMs;
  }

  /** Runs `work` as the identity; what AWS did not accept is resolved anew the next time. */
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
    return asIdentity(async ({ identity, sts, failure, leftMs }) => {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = identity.credentials;
      if (sessionToken === undefined) return sts.getSessionToken(config.sessionDurationSeconds ?? 3600);
      const end = expiration?.getTime() ?? now() + config.sharedTokenExpirationSeconds * 1000;
      const lifeMsMax = leftMs();
      if (lifeMsMax <= 0) {
        // By the clock that nobody sets: which of the two is wrong is not known.
        if (end > now()) throw clockSetBack(identity);
        const text = `the credentials of ${identity.origin} expired at ${new Date(end).toISOString()}`;
        throw new AppError("identity-failed", text, { hint: identity.remedy });
      }
      // Who asks once more has this set: he is to keep it, to say why and to try again soon.
      if (failure !== undefined && handedOut === identity) throw failure;
      handedOut = identity;
      return { accessKeyId, secretAccessKey, sessionToken, expiration: end, lifeMsMax, roleArn: "" };
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

  return { fingerprint, session, assume, whoami, warm: async () => {} };
}

function isSameSet(one: AwsCredentialIdentity, other: AwsCredentialIdentity): boolean {
  const isSameEnd = one.expiration?.getTime() === other.expiration?.getTime();
  return isSameEnd && one.accessKeyId === other.accessKeyId && one.sessionToken === other.sessionToken;
}

function clockSetBack({ origin }: Identity): AppError {
  const text = `the credentials of ${origin} have ended by the time that has passed, and this machine's clock was set back since`;
  return new AppError("identity-failed", text, {
    hint: "renew them; where the clock is right only now, restart the server",
  });
}
