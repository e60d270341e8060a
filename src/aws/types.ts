import type { fromIni } from "@aws-sdk/credential-providers";
import type { AppError } from "../errors.ts";

/** Temporary credentials. `credentials/response.ts` writes the response. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since 1970; never returned from then on. */
  readonly expiration: number;
  /** `""` for the identity's own session. */
  readonly roleArn: string;
}

/** A role to assume. `id` is the ARN or `[path/]name`; no name has a colon. */
export type Role =
  | { readonly kind: "arn"; readonly id: string; readonly arn: string; readonly name: string }
  | { readonly kind: "name"; readonly id: string; readonly name: string; readonly path: string | undefined };

/** Who the server itself is, for the log. */
export interface IdentityFacts {
  /** Where the identity comes from, for a sentence: `profile 'dev'`. */
  readonly origin: string;
  readonly arn?: string;
  /** Milliseconds since 1970, if known. */
  readonly expiration?: number | undefined;
  /** Why the ARN is unknown, or why AWS does not accept the identity. */
  readonly failure?: AppError;
}

/** Where credentials come from. It does not cache; the vendor does. */
export interface CredentialSource {
  /** Changes when the identity may have changed. Synchronous and cheap: called for every request. */
  readonly version: () => string;
  /** The identity's own session. Throws AppError. */
  readonly session: () => Promise<Credentials>;
  /** A session of `role` under `sessionName`. Throws AppError. */
  readonly assume: (role: Role, sessionName: string) => Promise<Credentials>;
  /** Loads the SDK ahead of the first call. Never throws. */
  readonly warm: () => Promise<void>;
}

/** A source that knows its own identity. */
export interface NamedSource extends CredentialSource {
  /** The identity, with its ARN if STS gives it. Throws AppError if there is none. */
  readonly whoami: () => Promise<IdentityFacts>;
}

export type AwsCredentialIdentity = Awaited<ReturnType<ReturnType<typeof fromIni>>>;

/** The server's own credentials. */
export interface Identity {
  readonly credentials: AwsCredentialIdentity;
  /** Where they come from, for a sentence: `profile 'dev'`. */
  readonly origin: string;
  /** What to do if AWS does not accept them. */
  readonly remedy: string;
  /** The profile's region, if it names one. */
  readonly region: string | undefined;
}

const MINUTE_MS = 60_000;
const SHORT_LIFETIME_MS = 30 * MINUTE_MS;
const WINDOW_MS = 20 * MINUTE_MS;
const HAND_OUT_MS = 15 * MINUTE_MS;

/**
 * When to renew credentials, in milliseconds before their expiration: 20 minutes or a third of their lifetime, whichever
 * is more; half of a lifetime of up to 30 minutes.
 */
export function renewalWindowMs(lifetimeMs: number): number {
  return lifetimeMs <= SHORT_LIFETIME_MS ? lifetimeMs / 2 : Math.max(WINDOW_MS, lifetimeMs / 3);
}

/**
 * When a request waits for the renewal, in milliseconds before the expiration: botocore fetches again on every use what
 * expires in less than 15 minutes.
 */
export function handOutWindowMs(lifetimeMs: number): number {
  return lifetimeMs <= SHORT_LIFETIME_MS ? lifetimeMs / 4 : HAND_OUT_MS;
}

/** Clients read years of four digits only. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Undefined if the text is not a time, or is after the year 9999. */
export function parseExpiration(text: unknown): Date | undefined {
  const expiration = new Date(typeof text === "string" ? text : Number.NaN);
  return expiration.getTime() <= LAST_MS ? expiration : undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** The credentials in an answer of a container endpoint or instance; undefined if a field is missing or empty. */
export function parseCredentials(body: Readonly<Record<string, unknown>>): AwsCredentialIdentity | undefined {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken } = body;
  const expiration = parseExpiration(body.Expiration);
  if (!isText(accessKeyId) || !isText(secretAccessKey) || !isText(sessionToken) || !expiration) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
}
