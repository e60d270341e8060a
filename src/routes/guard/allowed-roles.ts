import type { Role } from "../../aws/types.ts";
import type { VendRequest } from "../../credentials/vendor.ts";
import { AppError } from "../../errors.ts";

export interface RoleRule {
  /**
   * Whether a request is surely allowed. False if only the returned ARN shows it, see `checkArn`.
   *
   * @throws AppError `role-not-allowed`
   */
  readonly check: (asked: VendRequest) => boolean;
  /** Throws AppError `role-not-allowed` for an ARN that no entry allows. */
  readonly checkArn: (arn: string) => void;
}

/**
 * The roles of `ECS_LOCAL_ALLOWED_ROLES`; undefined allows all. An entry that begins with `arn:` is held against a
 * role's ARN, one with a slash against its path/name, any other against its name, in whichever account; `*` stands for
 * any text. The entry `creds` allows the identity's own session, and no other does.
 */
export function createRoleRule(entries: readonly string[] | undefined): RoleRule {
  if (entries === undefined) return { check: () => true, checkArn: () => {} };
  const allowsSession = entries.includes("creds");
  const patterns = entries.filter((entry) => entry !== "creds");
  const arns = patterns.filter((entry) => entry.startsWith("arn:"));
  const paths = patterns.filter((entry) => !entry.startsWith("arn:") && entry.includes("/"));
  const names = patterns.filter((entry) => !entry.startsWith("arn:") && !entry.includes("/"));
  const byArn = arns.map(toPattern);
  const byPath = paths.map(toPattern);
  const byName = names.map(toPattern);
  const byResource = arns.map((entry) => toPattern(entry.split(":role/")[1] ?? "*"));

  function isAllowed(role: Role): boolean {
    const resource = resourceOf(role);
    if (byName.some((pattern) => pattern.test(role.name)) || byPath.some((pattern) => pattern.test(resource)))
      return true;
    return role.kind === "arn" && byArn.some((pattern) => pattern.test(role.arn));
  }

  return {
    check(asked) {
      if (asked.kind === "session") {
        if (allowsSession) return true;
        throw refusal("The server's own credentials are", "creds");
      }
      const { role } = asked;
      if (isAllowed(role)) return true;
      // The account of a name is not known yet.
      if (role.kind === "name" && byResource.some((pattern) => pattern.test(role.id))) return false;
      throw refusal(`The role '${role.id}' is`, role.id);
    },
    checkArn(arn) {
      if (!byArn.some((pattern) => pattern.test(arn))) throw refusal(`The role '${arn}' is`, arn);
    },
  };
}

/** `[path/]name` of a role. */
function resourceOf(role: Role): string {
  return role.kind === "arn" ? role.arn.slice(role.arn.indexOf(":role/") + ":role/".length) : role.id;
}

/**
 * Whether what is asked for can be the role that a container is bound to. Of a name without a path, and of one without
 * an account, the role is not known: the caller's own role is returned.
 */
export function canBe(asked: Role, bound: Role): boolean {
  if (asked.kind === "arn" && bound.kind === "arn") return asked.arn === bound.arn;
  const [one, other] = [resourceOf(asked), resourceOf(bound)];
  const isOpen = (role: Role) => role.kind === "name" && role.path === undefined;
  return one === other || (asked.name === bound.name && (isOpen(asked) || isOpen(bound)));
}

function toPattern(entry: string): RegExp {
  const parts = entry.split(/\*+/).map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}

function refusal(what: string, entry: string): AppError {
  return new AppError("role-not-allowed", `${what} not among those of ECS_LOCAL_ALLOWED_ROLES`, {
    hint: `add ${entry} to ECS_LOCAL_ALLOWED_ROLES and restart the server, or ask for a role that is listed`,
  });
}
