import { readFile, stat } from "node:fs/promises";
import { getDefaultRoleAssumerWithWebIdentity } from "@aws-sdk/client-sts";
import { fromWebToken } from "@aws-sdk/credential-providers";
import type { ClientSettings } from "./clients.ts";
import type { AwsCredentialIdentity } from "./types.ts";

/** What STS gives unless asked for more. */
const DURATION_SECONDS = 3600;

export type WebIdentity = (as: {
  readonly tokenFile: string;
  readonly roleArn: string;
  readonly sessionName: string | undefined;
  /** The region of STS, where the profile names one. */
  readonly region: string | undefined;
}) => Promise<AwsCredentialIdentity>;

/**
 * Assumes a role with a token from a file. The SDK's `fromTokenFile` reads the file synchronously, so a pipe without a
 * writer would block the whole server.
 *
 * @returns a function that rejects with what the read and the SDK throw
 */
export function createWebIdentity(settings: ClientSettings): WebIdentity {
  return async ({ tokenFile, roleArn, sessionName, region }) => {
    const webIdentityToken = await readTokenFile(tokenFile);
    const roleAssumerWithWebIdentity = getDefaultRoleAssumerWithWebIdentity(settings.sts(region));
    const session = sessionName === undefined ? {} : { roleSessionName: sessionName };
    const given = { webIdentityToken, roleArn, ...session, durationSeconds: DURATION_SECONDS };
    return fromWebToken({ ...given, roleAssumerWithWebIdentity })();
  };
}

/** More than any token has. */
const TOKEN_BYTES_MAX = 65_536;

/**
 * Reads a token from a regular file. Nothing else is opened: a pipe without a writer would block a thread.
 *
 * @returns rejects with the system call's error, or with an Error if the path is not a regular file or is too long
 */
export async function readTokenFile(path: string): Promise<string> {
  const facts = await stat(path);
  if (!facts.isFile()) throw new Error("not a regular file");
  if (facts.size > TOKEN_BYTES_MAX) throw new Error(`longer than ${TOKEN_BYTES_MAX} bytes`);
  return readFile(path, "utf8");
}
