import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
  type Credentials as WireCredentials,
} from "@aws-sdk/client-sts";
import type { RoleOptions } from "../config/aws.ts";
import { AppError } from "../errors.ts";
import type { ClientSettings } from "./client-settings.ts";
import { toAppError } from "./errors.ts";
import type { Credentials, Identity } from "./types.ts";

/** The account that an identity belongs to, and the partition that its ARNs begin with (`aws`, `aws-cn`, ...). */
export interface Account {
  readonly partition: string;
  readonly id: string;
  /** The identity's own. */
  readonly arn: string;
}

/** A role as STS is asked for it. */
export type AssumeInput = RoleOptions & {
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
        return toCredentials(answer.Credentials, "", action, seconds);
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
        return toCredentials(answer.Credentials, arn, action, durationSeconds);
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

function toCredentials(
  wire: WireCredentials | undefined,
  roleArn: string,
  action: string,
  durationSeconds: number,
): Credentials {
  if (!wire?.AccessKeyId || !wire.SecretAccessKey || !wire.SessionToken || !wire.Expiration) throw incomplete(action);
  return {
    accessKeyId: wire.AccessKeyId,
    secretAccessKey: wire.SecretAccessKey,
    sessionToken: wire.SessionToken,
    expiration: wire.Expiration.getTime(),
    lifeMsMax: durationSeconds * 1000,
    roleArn,
  };
}

function incomplete(action: string): AppError {
  return new AppError("upstream-unavailable", `${action} answered without what was asked for`, {
    hint: "check STS_ENDPOINT",
  });
}
