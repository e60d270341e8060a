import type { fromIni } from "@aws-sdk/credential-providers";
import type { AppError } from "../errors.ts";

/** Temporary credentials as we hold them; `credentials/response.ts` alone knows how they look on the wire. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since 1970; never handed out from then on. */
  readonly expiration: number;
  /**
   * What STS was asked for, or what is left of a set that was there before: they live no longer, whatever `expiration`
   * seems to say where the clock is wrong.
   */
  readonly lifeMsMax?: number;
  /** `""` for the identity's own session. */
  readonly roleArn: string;
}

/**
 * A role to assume. `id` is what tells two of them apart: the ARN, or `[path/]name`, which cannot be confused
 * because no name holds a colon.
 */
export type Role =
  | { readonly kind: "arn"; readonly id: string; readonly arn: string; readonly name: string }
  | { readonly kind: "name"; readonly id: string; readonly name: string; readonly path: string | undefined };

/** Who the server itself is, for the log. */
export interface IdentityFacts {
  /** Where the identity comes from, for a sentence: `profile 'dev'`. */
  readonly origin: string;
  readonly arn?: string;
  /** Milliseconds since 1970, where an end is known. */
  readonly expiration?: number | undefined;
  /** Why the ARN is not known, or why AWS does not accept the identity. */
  readonly failure?: AppError;
}

/** Where credentials come from. Every function may be called at any rate: the vendor is what spares AWS. */
export interface CredentialSource {
  /** Changes when the identity may have changed. Synchronous and cheap: it is asked on every request. */
  readonly fingerprint: () => string;
  /** The identity's own session. Throws AppError. */
  readonly session: () => Promise<Credentials>;
  /** A session of `role` under `sessionName`. Throws AppError. */
  readonly assume: (role: Role, sessionName: string) => Promise<Credentials>;
  /** Loads what the first call would have to load. Never throws. */
  readonly warm: () => Promise<void>;
}

/** A source that can say who it is. */
export interface NamedSource extends CredentialSource {
  /** The identity, with its ARN where STS tells. Throws AppError where there is none. */
  readonly whoami: () => Promise<IdentityFacts>;
}

export type AwsCredentialIdentity = Awaited<ReturnType<ReturnType<typeof fromIni>>> & {
  /** What STS was asked for: they live no longer, whatever `expiration` seems to say where the clock is wrong. */
  readonly lifeMsMax?: number;
};

/** The credentials that the server itself was given. */
export interface Identity {
  readonly credentials: AwsCredentialIdentity;
  /** Where they come from, for a sentence: `profile 'dev'`. */
  readonly origin: string;
  /** What to do when AWS does not accept them. */
  readonly remedy: string;
  /** The profile's region, if it names one. */
  readonly region: string | undefined;
}

const MINUTE_MS = 60_000;
const SHORT_LIFE_MS = 30 * MINUTE_MS;
const WINDOW_MS = 20 * MINUTE_MS;
const HAND_OUT_MS = 15 * MINUTE_MS;

/**
 * How long before their end credentials are to be renewed: at 20 minutes or a third of their life, whichever is more,
 * and at half of a life of up to 30 minutes.
 *
 * @param lifeMs what was left when they were obtained
 * @returns milliseconds before the expiration
 */
export function renewalWindowMs(lifeMs: number): number {
  return lifeMs <= SHORT_LIFE_MS ? lifeMs / 2 : Math.max(WINDOW_MS, lifeMs / 3);
}

/**
 * How much must be left for credentials to be handed out without first trying for better ones: botocore refetches
 * what has less than 15 minutes on every use.
 *
 * @param lifeMs what was left when they were obtained
 * @returns milliseconds before the expiration
 */
export function handOutWindowMs(lifeMs: number): number {
  return lifeMs <= SHORT_LIFE_MS ? lifeMs / 4 : HAND_OUT_MS;
}

/** The last moment that a year of four digits can say; clients read no other. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * @param text the end of a set, as others wrote it
 * @returns undefined where it is no time, or one after the year 9999
 */
export function endOf(text: unknown): Date | undefined {
  const end = new Date(typeof text === "string" ? text : Number.NaN);
  return end.getTime() <= LAST_MS ? end : undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/**
 * @param body what the container's endpoint or the instance answered
 * @returns undefined where something of a set is missing or empty
 */
export function setOf(body: Readonly<Record<string, unknown>>): AwsCredentialIdentity | undefined {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken } = body;
  const expiration = endOf(body.Expiration);
  if (!isText(accessKeyId) || !isText(secretAccessKey) || !isText(sessionToken) || !expiration) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
}
