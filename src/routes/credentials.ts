import { LRUCache } from "lru-cache";
import type { Credentials, Role } from "../aws/types.ts";
import { toWire } from "../credentials/response.ts";
import { parseRole } from "../credentials/role.ts";
import type { Vendor, VendRequest } from "../credentials/vendor.ts";
import { canonicalAddress } from "../engine/ip-address.ts";
import { AppError } from "../errors.ts";
import type { Fields, Log } from "../log.ts";
import { canBe, type RoleRule } from "./guard/allowed-roles.ts";
import type { Binding, TaskRole } from "./guard/caller-role.ts";
import type { Rule } from "./guard/rule.ts";
import type { Answer, Handler, Route } from "./handler.ts";
import { JSON_OK, unknownRoute } from "./http-error.ts";

const PATHS_MAX = 1000;
const SHOWN_CHARACTERS_MAX = 256;
const SESSION: VendRequest = { kind: "session" };

/** What is known of a path, which comes again and again. */
interface Known {
  readonly asked: VendRequest;
  /** Whether the ARN of what is vended says if it is allowed. */
  isUnsure?: boolean;
  /** What the log was told last: mostly it is told the same of the next request. */
  last?: { readonly credentials: Credentials; readonly caller: string; readonly fields: Fields };
}

/**
 * The routes that vend: `/creds`, `/role/*`, `/role-arn/*` and the agent's own `/v2/credentials/<id>`. What fails is
 * thrown as AppError. Every request leaves one line in the log.
 */
export function credentialRoutes(deps: {
  readonly vendor: Vendor;
  readonly log: Log;
  /** The name for the log of the container that has this address. */
  readonly callerName?: (address: string) => string | undefined;
  /** Which roles may be asked for; all, unless given. */
  readonly roles?: RoleRule | undefined;
  /** The role that a caller is bound to; none is, unless given. */
  readonly boundRole?: Binding | undefined;
  /** The role that `/creds` is for a caller who is bound to none; the identity's own session, unless given. */
  readonly taskRole?: TaskRole | undefined;
  /** Asks for the token, where there is one. */
  readonly token?: Rule | undefined;
  readonly handler: (answer: Answer, also?: Rule) => Handler;
}): readonly Route[] {
  const { vendor, log, roles, boundRole, taskRole } = deps;
  const paths = new LRUCache<string, Known>({ max: PATHS_MAX });

  function answer(path: string, address: string): Response | Promise<Response> {
    let known: Known | undefined;
    try {
      const asked = readOnce(path);
      known = asked;
      const given = roleGiven(asked, address);
      if (!(given instanceof Promise)) {
        known = boundOr(asked, given, path);
        const vending = vend(known, path, address);
        if (!(vending instanceof Promise)) return vending;
        return vending.catch((error: unknown) => refuse(error, path, address, known));
      }
      return given
        .then((role) => {
          known = boundOr(asked, role, path);
          return vend(known, path, address);
        })
        .catch((error: unknown) => refuse(error, path, address, known));
    } catch (error) {
      return refuse(error, path, address, known);
    }
  }

  /** The role that a caller is given by who he is: the one of his label, else for `/creds` that of his task. */
  function roleGiven({ asked }: Known, address: string): Role | undefined | Promise<Role | undefined> {
    const bound = boundRole?.(address);
    if (taskRole === undefined || asked.kind === "role") return bound;
    if (!(bound instanceof Promise)) return bound ?? taskRole(address);
    // Both wait for the engine: one after the other would take twice as long as clients wait.
    const ofTask = Promise.try(taskRole, address);
    ofTask.catch(() => undefined);
    return bound.then((role) => role ?? ofTask);
  }

  function vend(known: Known, path: string, address: string): Response | Promise<Response> {
    if (roles) known.isUnsure ??= !roles.check(known.asked);
    const credentials = vendor.vend(known.asked);
    if (!(credentials instanceof Promise)) return vended(credentials, path, address, known, true);
    return credentials.then((fetched) => vended(fetched, path, address, known, false));
  }

  function readOnce(path: string): Known {
    const known = paths.get(path);
    if (known !== undefined) return known;
    const read = { asked: readPath(path) };
    paths.set(path, read);
    return read;
  }

  /** What a caller that is bound to a role is given, whatever spelling of it he asks for. */
  function boundOr(unbound: Known, role: Role | undefined, path: string): Known {
    if (role === undefined) return unbound;
    const { asked } = unbound;
    const key = `${role.id} ${path}`;
    const known = paths.get(key);
    if (known !== undefined) return known;
    if (asked.kind === "role" && !canBe(asked.role, role)) {
      const text = `The container that asks is bound to the role '${role.id}', and asked for '${asked.role.id}'`;
      throw new AppError("role-not-allowed", text, { hint: "ask for /creds, or change its label ecs-local.role" });
    }
    const bound: Known = { asked: { kind: "role", role } };
    paths.set(key, bound);
    return bound;
  }

  /** @param cached whether the credentials were at hand */
  function vended(credentials: Credentials, path: string, address: string, known: Known, cached: boolean): Response {
    if (known.isUnsure) roles?.checkArn(credentials.roleArn);
    const { body, expiration } = toWire(credentials);
    const caller = deps.callerName?.(address) ?? canonicalAddress(address);
    const last = known.last;
    if (cached && last?.credentials === credentials && last.caller === caller) {
      log.info("credentials vended", last.fields);
    } else {
      const fields = { caller, path, role: credentials.roleArn, outcome: "vended", expiration, cached };
      if (cached) known.last = { credentials, caller, fields };
      log.info("credentials vended", fields);
    }
    return new Response(body, JSON_OK);
  }

  function refuse(error: unknown, path: string, address: string, known?: Known): never {
    const caller = deps.callerName?.(address) ?? canonicalAddress(address);
    const role = known?.asked.kind === "role" ? known.asked.role.id : known && "";
    const outcome = error instanceof AppError ? error.code : "failed";
    const cause = error instanceof AppError ? error.publicMessage : undefined;
    log.warning("credentials refused", { caller, path: path.slice(0, SHOWN_CHARACTERS_MAX), role, outcome, cause });
    throw error;
  }

  const handle = deps.handler(answer, deps.token);
  return ["/creds", "/v2/credentials/*", "/role", "/role/*", "/role-arn", "/role-arn/*"].map((pattern) => [
    pattern,
    handle,
  ]);
}

function readPath(path: string): VendRequest {
  if (/^\/creds\/?$/.test(path) || /^\/v2\/credentials\/[^/]/.test(path)) return SESSION;
  const match = /^\/(role|role-arn)(?:\/(.*))?$/.exec(path);
  if (match === null) throw unknownRoute(path);
  return { kind: "role", role: parseRole(match[2] ?? "", match[1] === "role-arn" ? "arn" : "any") };
}
