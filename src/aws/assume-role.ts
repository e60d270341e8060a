import { LRUCache } from "lru-cache";
import type { AwsConfig, RoleOptions } from "../config/aws.ts";
import { AppError } from "../errors.ts";
import { type Account, type ClientSettings, getRoleArn, type Sts } from "./clients.ts";
import { isDurationRefusal } from "./errors.ts";
import type { Credentials, Identity, Role } from "./types.ts";

/** STS gives this much to every role, also at the end of a chain of roles. */
const DURATION_SECONDS = 3600;
const ROLES_MAX = 1000;

/** What was learned as one identity. */
export interface Memo {
  account?: Promise<Account>;
  /** ARNs from IAM, by the requested name. */
  readonly arns: LRUCache<string, string>;
  /** ARNs of roles that are given no more than an hour. */
  readonly hourly: LRUCache<string, true>;
}

export function createMemo(): Memo {
  return { arns: new LRUCache({ max: ROLES_MAX }), hourly: new LRUCache({ max: ROLES_MAX }) };
}

interface AssumeAs {
  readonly identity: Identity;
  readonly sts: Sts;
  readonly memo: Memo;
}

/**
 * Makes what assumes a role by name or ARN, with what the configuration says of it.
 *
 * @returns a function that throws AppError: `role-refused`, `no-such-role`, or what STS and IAM are not able to do
 */
export function createAssume(
  config: AwsConfig,
  settings: ClientSettings,
): (as: AssumeAs, role: Role, sessionName: string) => Promise<Credentials> {
  const attempt = async (as: AssumeAs, arn: string, role: Role, sessionName: string): Promise<Credentials> => {
    const options = optionsOf(config.roles, role, arn);
    const wanted = options.durationSeconds ?? config.sessionDurationSeconds ?? DURATION_SECONDS;
    const ask = (durationSeconds: number): Promise<Credentials> =>
      as.sts.assumeRole({ sessionName, ...options, arn, durationSeconds });
    if (wanted <= DURATION_SECONDS) return ask(wanted);
    if (as.memo.hourly.has(arn)) return ask(DURATION_SECONDS);
    try {
      return await ask(wanted);
    } catch (error) {
      if (!isDurationRefusal(error)) throw error;
      as.memo.hourly.set(arn, true);
      return ask(DURATION_SECONDS);
    }
  };

  return async (as, role, sessionName) => {
    if (role.kind === "arn") return attempt(as, role.arn, role, sessionName);
    const { partition, id } = await accountOf(as);
    const arn = as.memo.arns.get(role.id) ?? `arn:${partition}:iam::${id}:role/${role.id}`;
    try {
      return await attempt(as, arn, role, sessionName);
    } catch (refusal) {
      const refused = refusal instanceof AppError && refusal.code === "role-refused";
      if (!refused || role.path !== undefined) throw refusal;
      const real = await realArn(as.identity, settings, role.name, refusal);
      if (real === arn) throw refusal;
      const credentials = await attempt(as, real, role, sessionName);
      as.memo.arns.set(role.id, real);
      return credentials;
    }
  };
}

/** The most exact key wins: the ARN, `path/name`, the name, `*`. Nothing is merged. */
function optionsOf(roles: AwsConfig["roles"], role: Role, arn: string): RoleOptions {
  const resource = arn.split(":role/")[1] ?? role.name;
  return roles?.get(arn) ?? roles?.get(resource) ?? roles?.get(role.name) ?? roles?.get("*") ?? {};
}

/** Asks once for all that follows. Throws AppError. */
export async function accountOf({ sts, memo }: AssumeAs): Promise<Account> {
  const asked = memo.account ?? sts.getAccount();
  memo.account = asked;
  try {
    return await asked;
  } catch (error) {
    if (memo.account === asked) memo.account = undefined;
    throw error;
  }
}

/** The refusal of the role is the better explanation, unless IAM can add something to it. */
async function realArn(identity: Identity, settings: ClientSettings, name: string, refusal: AppError): Promise<string> {
  try {
    return await getRoleArn(identity, settings, name);
  } catch (error) {
    if (error instanceof AppError && error.code === "no-such-role") throw error;
    const why = error instanceof AppError ? error.publicMessage : "iam:GetRole failed";
    throw new AppError("role-refused", refusal.publicMessage, {
      hint: `if the role has a path, give it: /role/<path>/${name} or /role-arn/<ARN> (${why}); else ${refusal.hint}`,
      cause: error,
    });
  }
}
