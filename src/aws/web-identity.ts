import { getDefaultRoleAssumerWithWebIdentity } from "@aws-sdk/client-sts";
import { fromWebToken } from "@aws-sdk/credential-providers";
import type { ClientSettings } from "./clients.ts";
import { readTokenFile } from "./token-file.ts";
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
 * Assumes a role with a token of a file. We read it and not the SDK's `fromTokenFile`, which does so synchronously: a
 * pipe to which nobody writes would stop the whole server.
 *
 * @returns a function that rejects with what the read and the SDK throw
 */
export function createWebIdentity(settings: ClientSettings): WebIdentity {
  return async ({ tokenFile, roleArn, sessionName, region }) => {
    const webIdentityToken = await readTokenFile(tokenFile);
    const roleAssumerWithWebIdentity = getDefaultRoleAssumerWithWebIdentity(settings.sts(region));
    const session = sessionName === undefined ? {} : { roleSessionName: sessionName };
    const given = { webIdentityToken, roleArn, ...session, durationSeconds: DURATION_SECONDS };
    const credentials = await fromWebToken({ ...given, roleAssumerWithWebIdentity })();
    return { ...credentials, lifeMsMax: DURATION_SECONDS * 1000 };
  };
}
