import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
  type Credentials as WireCredentials,
} from "@aws-sdk/client-sts";
import { AppError } from "../errors.ts";
import type { ClientSettings } from "./client-settings.ts";
import type { Credentials } from "./contract.ts";
import { toAppError } from "./errors.ts";
import type { Identity } from "./identity.ts";

const DURATION_SECONDS = 3600;

/** The account that an identity belongs to, and the partition that its ARNs begin with (`aws`, `aws-cn`, ...). */
export interface Account {
  readonly partition: string;
  readonly id: string;
  /** The identity's own. */
  readonly arn: string;
}

/** The three calls of STS that we make, as one identity. Each throws AppError. */
export interface Sts {
  /** One hour of credentials of the identity itself. AWS gives them only for long-lived keys. */
  readonly getSessionToken: () => Promise<Credentials>;
  /** One hour of credentials of a role. */
  readonly assumeRole: (roleArn: string, sessionName: string) => Promise<Credentials>;
  /** Needs no permission. */
  readonly getAccount: () => Promise<Account>;
}

export function createSts(identity: Identity, settings: ClientSettings): Sts {
  const client = new STSClient({ ...settings.sts(identity.region), credentials: identity.credentials });
  const failed = (error: unknown, action: string, role = false): AppError =>
    toAppError(error, { action: `${action} as ${identity.origin}`, role, remedy: identity.remedy });

  return {
    async getSessionToken() {
      const action = "sts:GetSessionToken";
      try {
        const answer = await client.send(new GetSessionTokenCommand({ DurationSeconds: DURATION_SECONDS }));
        return toCredentials(answer.Credentials, "", action);
      } catch (error) {
        throw failed(error, action);
      }
    },
    async assumeRole(roleArn, sessionName) {
      const action = `sts:AssumeRole of ${roleArn}`;
      const input = { RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: DURATION_SECONDS };
      try {
        const answer = await client.send(new AssumeRoleCommand(input));
        return toCredentials(answer.Credentials, roleArn, action);
      } catch (error) {
        throw failed(error, action, true);
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
