import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
  type STSClientConfig,
  type Credentials as WireCredentials,
} from "@aws-sdk/client-sts";
import type { HttpHandler } from "@smithy/core/protocols";
import type { AwsConfig, RoleOptions } from "../config/aws.ts";
import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import { isSkewRefusal, toAppError } from "./errors.ts";
import { createHttpHandler } from "./http-handler.ts";
import { sdkName } from "./ini.ts";
import { wantedProfile } from "./profiles.ts";
import type { Credentials, Identity } from "./types.ts";

/** The account that an identity belongs to, and the partition that its ARNs begin with (`aws`, `aws-cn`, ...). */
export interface Account {
  readonly partition: string;
  readonly id: string;
  /** The identity's own. */
  readonly arn: string;
}

/** A role as STS is asked for it. */
type AssumeInput = RoleOptions & {
  readonly arn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
};

/** The three calls of STS that we make, as one identity. Each throws AppError. */
export interface Sts {
  /** Credentials of the identity itself. AWS gives them only for long-lived keys. */
  readonly getSessionToken: (durationSeconds: number) => Promise<Credentials>;
  readonly assumeRole: (input: AssumeInput) => Promise<Credentials>;
  /** Needs no permission. */
  readonly getAccount: () => Promise<Account>;
}

export function createSts(identity: Identity, settings: ClientSettings): Sts {
  const client = new STSClient({ ...settings.sts(identity.region), credentials: identity.credentials });
  const failed = (error: unknown, action: string): AppError =>
    toAppError(error, { action: `${action} as ${identity.origin}`, remedy: identity.remedy });

  return {
    async getSessionToken(seconds) {
      const action = "sts:GetSessionToken";
      try {
        const answer = await client.send(new GetSessionTokenCommand({ DurationSeconds: seconds }));
        return toCredentials(answer.Credentials, "", action);
      } catch (error) {
        throw failed(error, action);
      }
    },
    async assumeRole(input) {
      const { arn, sessionName, durationSeconds, externalId, sessionTags, transitiveTagKeys } = input;
      const action = `sts:AssumeRole of ${arn}`;
      const command = {
        RoleArn: arn,
        RoleSessionName: sessionName,
        DurationSeconds: durationSeconds,
        ...(externalId !== undefined && { ExternalId: externalId }),
        ...(sessionTags && { Tags: Object.entries(sessionTags).map(([Key, Value]) => ({ Key, Value })) }),
        ...(transitiveTagKeys && { TransitiveTagKeys: [...transitiveTagKeys] }),
      };
      try {
        const answer = await client.send(new AssumeRoleCommand(command));
        return toCredentials(answer.Credentials, arn, action);
      } catch (error) {
        const probe = `aws sts assume-role --role-arn ${arn} --role-session-name test`;
        const { origin, remedy } = identity;
        throw toAppError(error, { action: `${action} as ${origin}`, role: true, probe, remedy });
      }
    },
    async getAccount() {
      const action = "sts:GetCallerIdentity";
      try {
        const { Arn = "" } = await client.send(new GetCallerIdentityCommand({}));
        const [, partition, , , id] = Arn.split(":");
        if (!partition || !id) throw incomplete(action);
        return { partition, id, arn: Arn };
      } catch (error) {
        throw failed(error, action);
      }
    },
  };
}

function toCredentials(wire: WireCredentials | undefined, roleArn: string, action: string): Credentials {
  if (!wire?.AccessKeyId || !wire.SecretAccessKey || !wire.SessionToken || !wire.Expiration) throw incomplete(action);
  return {
    accessKeyId: wire.AccessKeyId,
    secretAccessKey: wire.SecretAccessKey,
    sessionToken: wire.SessionToken,
    expiration: wire.Expiration.getTime(),
    roleArn,
  };
}

function incomplete(action: string): AppError {
  return new AppError("upstream-unavailable", `${action} answered without what was asked for`, {
    hint: "check STS_ENDPOINT",
  });
}

type RetryStrategy = Exclude<NonNullable<STSClientConfig["retryStrategy"]>, { readonly retry: unknown }>;

const retryToken = (count: number) => ({ getRetryCount: () => count, getRetryDelay: () => 0 });

/** One retry, if AWS refused the time in the signature: the SDK has learned AWS's time from the refusal. */
const RETRY_FOR_THE_CLOCK: RetryStrategy = {
  acquireInitialRetryToken: async () => retryToken(0),
  refreshRetryTokenForRetry: async (used, { error }) => {
    if (used.getRetryCount() > 0 || !isSkewRefusal(error)) throw error;
    return retryToken(1);
  },
  recordSuccess: () => {},
};

/** Of the clients for SSO inside of the providers. */
const PROVIDER_ATTEMPTS_MAX = 2;
const FALLBACK_REGION = "us-east-1";

interface ServiceSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly requestHandler: HttpHandler;
  readonly retryStrategy: RetryStrategy;
  /** Whose endpoint settings the SDK reads. */
  readonly profile?: string;
}

/** How our clients, and those inside of the SDK's providers, reach AWS. */
export interface ClientSettings {
  /** Without a region: a provider's client for SSO has its own. */
  readonly inner: { readonly requestHandler: HttpHandler; readonly maxAttempts: number };
  readonly sts: (profileRegion: string | undefined) => ServiceSettings;
  readonly iam: (profileRegion: string | undefined) => ServiceSettings;
}

export function createClientSettings(config: AwsConfig, env: Environment): ClientSettings {
  const requestHandler = createHttpHandler(env);
  const wanted = wantedProfile(env);
  const service = (endpoint: string | undefined, profileRegion: string | undefined): ServiceSettings => ({
    requestHandler,
    retryStrategy: RETRY_FOR_THE_CLOCK,
    ...(wanted && { profile: sdkName(wanted.name) }),
    region: config.region ?? profileRegion ?? FALLBACK_REGION,
    // An `endpoint: undefined` would keep the SDK from reading its own variables and profile settings.
    ...(endpoint !== undefined && { endpoint }),
  });
  return {
    inner: { requestHandler, maxAttempts: PROVIDER_ATTEMPTS_MAX },
    sts: (profileRegion) => service(config.stsEndpoint, profileRegion),
    iam: (profileRegion) => service(config.iamEndpoint, profileRegion),
  };
}

/**
 * Looks up a role's ARN, which holds the path that its name does not.
 *
 * @param roleName without a path
 * @throws AppError: `no-such-role`; for IAM's InvalidClientTokenId the text says why STS accepts the same keys (issue
 *   118 of the reference)
 */
export async function getRoleArn(identity: Identity, settings: ClientSettings, roleName: string): Promise<string> {
  const client = new IAMClient({ ...settings.iam(identity.region), credentials: identity.credentials });
  const action = `iam:GetRole of ${roleName} as ${identity.origin}`;
  try {
    const { Role } = await client.send(new GetRoleCommand({ RoleName: roleName }));
    if (Role?.Arn === undefined) throw new AppError("upstream-unavailable", `${action} answered without an ARN`);
    return Role.Arn;
  } catch (error) {
    const failure = toAppError(error, { action, remedy: identity.remedy });
    const name = error instanceof Error ? error.name : "";
    if (/^NoSuchEntity/.test(name)) {
      throw new AppError("no-such-role", `there is no role '${roleName}' in the account of ${identity.origin}`, {
        hint: `see what there is with: aws iam list-roles --query "Roles[].Arn"; give a role of another account by its ARN`,
        cause: error,
      });
    }
    if (name !== "InvalidClientTokenId") throw failure;
    const text = "IAM, which knows paths, accepts no session of GetSessionToken without MFA: InvalidClientTokenId";
    throw new AppError("identity-failed", text, { hint: identity.remedy, cause: error });
  }
}
