import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { RoleOptions } from "../config/aws.ts";
import { isObject, readJsonObject } from "../config/json-file.ts";
import { AppError } from "../errors.ts";
import { parseRole } from "./role.ts";

/** Every field with what it may be, by the limits of sts:AssumeRole; the words are for an error. */
const FIELDS = {
  externalId: Type.String({
    pattern: "^[\\w+=,.@:/-]{2,1224}$",
    description: "2 to 1224 letters, digits and +=,.@:/-_",
  }),
  sessionTags: Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 256 }), {
    maxProperties: 50,
    description: "an object of up to 50 keys (up to 128 characters) with texts (up to 256)",
  }),
  transitiveTagKeys: Type.Array(Type.String(), { maxItems: 50, description: "a list of keys of sessionTags" }),
  durationSeconds: Type.Integer({
    minimum: 900,
    maximum: 43_200,
    description: "a whole number of seconds from 900 to 43200",
  }),
  sessionName: Type.String({ pattern: "^[\\w+=,.@-]{2,64}$", description: "2 to 64 letters, digits and +=,.@-_" }),
};
const HINT = `the file is {"<name, path/name, ARN or *>": {...}} with the fields ${Object.keys(FIELDS).join(", ")}`;

/**
 * Reads the file of ECS_LOCAL_ROLES: an object from role (name, path/name, ARN or `*`) to RoleOptions.
 *
 * @throws AppError `bad-configuration` with the path, the place in the file, the reason and the fields that there are
 */
export function readRoles(path: string | undefined): ReadonlyMap<string, RoleOptions> {
  if (path === undefined) return new Map();
  const value = readJsonObject("ECS_LOCAL_ROLES", path, { hint: HINT });
  return new Map(Object.entries(value).map(([role, options]) => [roleKey(path, role), check(path, role, options)]));
}

function roleKey(path: string, key: string): string {
  if (key === "*") return key;
  try {
    return parseRole(key, "any").id;
  } catch (cause) {
    throw bad(path, `in which ${cause instanceof AppError ? cause.publicMessage : "a role cannot be read"}`);
  }
}

function check(path: string, role: string, options: unknown): RoleOptions {
  const place = JSON.stringify(role);
  if (!isObject(options)) throw bad(path, `in which ${place} is not an object`);
  for (const [field, value] of Object.entries(options)) {
    const schema = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof typeof FIELDS] : undefined;
    if (schema === undefined) throw bad(path, `in which ${place} has '${field}'`);
    if (!Value.Check(schema, value))
      throw bad(path, `in which ${place} has a ${field} that is not ${schema.description}`);
  }
  const known = options as RoleOptions;
  const stray = known.transitiveTagKeys?.find((key) => !Object.hasOwn(known.sessionTags ?? {}, key));
  if (stray !== undefined) throw bad(path, `in which ${place} has '${stray}' in transitiveTagKeys, not in sessionTags`);
  return known;
}

function bad(path: string, reason: string): AppError {
  return new AppError("bad-configuration", `ECS_LOCAL_ROLES is '${path}', ${reason}`, { hint: HINT });
}
