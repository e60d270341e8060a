import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { AppError } from "../errors.ts";
import type { ClientSettings } from "./client-settings.ts";
import { toAppError } from "./errors.ts";
import type { Identity } from "./types.ts";

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
