import type { Role } from "../aws/types.ts";
import { AppError } from "../errors.ts";

const NAME = /^[\w+=,.@-]{1,64}$/;
const PATH = /^[\x21-\x7e]{1,510}$/;
const ARN = /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/(.+)$/;
const TEXT_CHARACTERS_MAX = 2048;
const SHOWN_CHARACTERS_MAX = 80;

const ARN_RULE = "a role's ARN is arn:aws:iam::<12 digits>:role/[path/]name";
const NAME_RULE = "a role's name is 1 to 64 letters, digits and +=,.@-_";
const PATH_RULE =
  "a role's path is segments of printable ASCII without spaces, none of them empty, up to 510 characters";

/**
 * Reads what follows `/role/` or `/role-arn/` in a path.
 *
 * @param text as it stood in the request, percent-encoded or not; a trailing slash is ignored
 * @param accept `"arn"` for `/role-arn/`, which takes nothing but ARNs
 * @throws AppError `bad-role`, with the value and the rule that it breaks
 */
export function parseRole(text: string, accept: "any" | "arn"): Role {
  if (text.length > TEXT_CHARACTERS_MAX) throw bad(text, `no role is over ${TEXT_CHARACTERS_MAX} characters long`);
  const value = decode(text).replace(/\/$/, "");
  if (value === "")
    throw new AppError("bad-role", "the path names no role", { hint: "ask for /role/<name> or /role-arn/<ARN>" });

  if (value.startsWith("arn:")) {
    const resource = ARN.exec(value)?.[1];
    if (resource === undefined) throw bad(value, ARN_RULE);
    return { kind: "arn", id: value, arn: value, name: split(resource, value).name };
  }
  if (accept === "arn") throw bad(value, ARN_RULE);
  return { kind: "name", id: value, ...split(value, value) };
}

/** The name that the role's session has in CloudTrail: the reference's, at most 64 characters. */
export function sessionNameOf(role: Role): string {
  return `ecs-local-${role.name}`.slice(0, 64);
}

function split(resource: string, value: string): { name: string; path: string | undefined } {
  const end = resource.lastIndexOf("/");
  const name = resource.slice(end + 1);
  const path = end === -1 ? undefined : resource.slice(0, end);
  if (path !== undefined && (!PATH.test(path) || path.split("/").includes(""))) throw bad(value, PATH_RULE);
  if (!NAME.test(name)) throw bad(value, NAME_RULE);
  return { name, path };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad(text, "its percent-encoding is not valid UTF-8");
  }
}

function bad(value: string, rule: string): AppError {
  const shown = value.length > SHOWN_CHARACTERS_MAX ? `${value.slice(0, SHOWN_CHARACTERS_MAX)}…` : value;
  return new AppError("bad-role", `${JSON.stringify(shown)} is not a role: ${rule}`);
}
