import type { AwsCredentialIdentity } from "./identity.ts";

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
