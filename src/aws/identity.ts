import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import { identityFiles } from "./change-detector.ts";
import type { ClientSettings } from "./clients.ts";
import { createProcesses } from "./credential-process.ts";
import { toAppError } from "./errors.ts";
import { createMachine } from "./instance.ts";
import { profileCredentials } from "./profile-credentials.ts";
import {
  endOfChain,
  hasOnlySettings,
  noIdentity,
  profileRemedy,
  readProfiles,
  unknownProfile,
  wantedProfile,
} from "./profiles.ts";
import { createSso } from "./sso.ts";
import { type AwsCredentialIdentity, type Identity, parseExpiration } from "./types.ts";
import { createWebIdentity, type WebIdentity } from "./web-identity.ts";

/**
 * Finds the identity: keys of the environment, web identity of the environment, the profile, and only where none of
 * them is configured the container's or the instance's. The order is ours and the first that is configured is the only
 * one: the SDK's default chain would turn a mistyped profile into somebody else's credentials.
 *
 * @param deps.processTimeoutMs for a credential_process; 50 s unless given
 * @returns a function that throws AppError: `no-identity` when none is configured, `identity-failed` or
 *   `upstream-unavailable` when one failed
 */
export function createIdentityResolver(deps: {
  readonly env: Environment;
  readonly settings: ClientSettings;
  readonly now: () => number;
  readonly processTimeoutMs?: number | undefined;
}): () => Promise<Identity> {
  const { env, settings } = deps;
  const sso = createSso(settings);
  const machine = createMachine(env, deps.now, settings.inner.requestHandler);
  const assumeWithToken = createWebIdentity(settings);
  const processes = createProcesses({ deadlineMs: deps.processTimeoutMs });

  return async (): Promise<Identity> => {
    const files = identityFiles(env);
    const { profiles, looked, failure } = await readProfiles(files);
    const wanted = wantedProfile(env);
    // The unread file may say that the profile uses the environment's keys.
    if (wanted && failure) throw failure;
    const profile = wanted?.name ?? "default";
    const section = profiles[profile];
    const region = section?.region;

    // Go and the command line take keys of the environment before AWS_PROFILE; this one asks for them itself.
    const environmentKeys = keysOf(env);
    const isForProfile =
      wanted !== undefined && endOfChain(profiles, profile).section?.credential_source === "Environment";
    if (environmentKeys !== undefined && !isForProfile) {
      const remedy = "renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN and restart the server";
      return { credentials: environmentKeys, origin: "the keys of the environment", remedy, region };
    }
    if (env.AWS_WEB_IDENTITY_TOKEN_FILE) return webIdentity(env, assumeWithToken, region);
    if (failure) throw failure;
    if (section !== undefined && (wanted || !hasOnlySettings(section))) {
      const sources = {
        files,
        profiles,
        settings,
        region,
        sso: sso(files),
        container: machine.container,
        instance: () => machine.instance(section),
        webIdentity: assumeWithToken,
        processes,
        environmentKeys,
      };
      const credentials = await profileCredentials(sources, profile);
      return { credentials, origin: `profile '${profile}'`, remedy: profileRemedy(profiles, profile), region };
    }
    if (wanted) throw unknownProfile(wanted, looked, profiles);

    if (machine.containerVariable !== undefined) {
      const credentials = await machine.container();
      const remedy = `check what ${machine.containerVariable} points to`;
      return { credentials, origin: "the container's credentials", remedy, region };
    }
    try {
      const credentials = await machine.instance(section);
      return { credentials, origin: "the instance's role", remedy: "check the role of the instance", region };
    } catch (error) {
      throw noIdentity(looked, profiles, error);
    }
  };
}

async function webIdentity(env: Environment, assume: WebIdentity, region: string | undefined): Promise<Identity> {
  const origin = "the web identity of the environment";
  const remedy = "check AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN";
  const { AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile = "", AWS_ROLE_ARN: roleArn } = env;
  if (!roleArn) {
    const text = "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN";
    throw new AppError("identity-failed", text, { hint: "set AWS_ROLE_ARN to the role and restart the server" });
  }
  try {
    const credentials = await assume({ tokenFile, roleArn, sessionName: env.AWS_ROLE_SESSION_NAME, region });
    return { credentials, origin, remedy, region };
  } catch (error) {
    throw toAppError(error, { action: `the use of ${origin}`, identity: true, remedy });
  }
}

function keysOf(env: Environment): AwsCredentialIdentity | undefined {
  // The second names are the reference's, which has them from the Go SDK.
  const accessKeyId = env.AWS_ACCESS_KEY_ID || env.AWS_ACCESS_KEY;
  const secretAccessKey = env.AWS_SECRET_ACCESS_KEY || env.AWS_SECRET_KEY;
  if (!accessKeyId || !secretAccessKey) return undefined;
  const expiration = parseExpiration(env.AWS_CREDENTIAL_EXPIRATION);
  return {
    accessKeyId,
    secretAccessKey,
    ...(env.AWS_SESSION_TOKEN && { sessionToken: env.AWS_SESSION_TOKEN }),
    ...(expiration && { expiration }),
  };
}
