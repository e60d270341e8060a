import { LRUCache } from "lru-cache";
import type { Credentials, Role } from "../aws/types.ts";
import { toWire } from "../credentials/response.ts";
import { parseRole } from "../credentials/role.ts";
import type { Vendor, VendRequest } from "../credentials/vendor.ts";
import type { Caller } from "../engine/caller.ts";
import { AppError } from "../errors.ts";
import type { Fields, Log } from "../log.ts";
import { canBe, type RoleRule } from "./guard/allowed-roles.ts";
import type { CallerRole } from "./guard/caller-role.ts";
import type { Answer, Handler, Route } from "./handler.ts";
import { JSON_OK, unknownRoute } from "./http-error.ts";

const PATHS_MAX = 1000;
const SHOWN_CHARACTERS_MAX = 256;
const SESSION: VendRequest = { kind: "session" };

/** What is known of a path, which comes again and again. */
interface Known {
  readonly asked: VendRequest;
  /** Whether only the returned ARN shows if it is allowed. */
  isUnsure?: boolean;
  /** The last logged line: the next request mostly repeats it. */
  last?: { readonly credentials: Credentials; readonly caller: string; readonly fields: Fields };
}

/**
 * The routes that vend: `/creds`, `/role/*`, `/role-arn/*` and the agent's own `/v2/credentials/<id>`. What fails is
 * thrown as AppError. Every request leaves one line in the log.
 */
export function credentialRoutes(deps: {
  readonly vendor: Vendor;
  readonly log: Log;
  /** The roles that may be asked for; all unless given. */
  readonly roles?: RoleRule | undefined;
  /** The role that a caller is bound to. */
  readonly labelRole?: CallerRole | undefined;
  /** The role of `/creds` for a caller that is not bound; the server's own identity unless given. */
  readonly taskRole?: CallerRole | undefined;
  /** Throws AppError without the right token. */
  readonly token?: ((request: Request) => void) | undefined;
  readonly handler: (answer: Answer) => Handler;
}): readonly Route[] {
  const { vendor, log, roles, labelRole, taskRole } = deps;
  const paths = new LRUCache<string, Known>({ max: PATHS_MAX });

  function answer(path: string, caller: Caller, request: Request): Response | Promise<Response> {
    let known: Known | undefined;
    try {
      deps.token?.(request);
      const asked = readOnce(path);
      known = asked;
      const role = roleOf(asked, caller);
      if (!(role instanceof Promise)) {
        known = boundOr(asked, role, path);
        const response = respond(known, path, caller);
        if (!(response instanceof Promise)) return response;
        return response.catch((error: unknown) => refuse(error, path, caller, known));
      }
      return role
        .then((given) => {
          known = boundOr(asked, given, path);
          return respond(known, path, caller);
        })
        .catch((error: unknown) => refuse(error, path, caller, known));
    } catch (error) {
      return refuse(error, path, caller, known);
    }
  }

  /** The role of the caller's label, else for `/creds` that of its task. */
  function roleOf({ asked }: Known, caller: Caller): Role | undefined | Promise<Role | undefined> {
    const bound = labelRole?.(caller);
    if (taskRole === undefined || asked.kind === "role") return bound;
    return bound instanceof Promise ? bound.then((role) => role ?? taskRole(caller)) : (bound ?? taskRole(caller));
  }

  function respond(known: Known, path: string, caller: Caller): Response | Promise<Response> {
    if (roles) known.isUnsure ??= !roles.check(known.asked);
    const credentials = vendor.vend(known.asked);
    if (!(credentials instanceof Promise)) return succeed(credentials, path, caller, known, true);
    return credentials.then((fetched) => succeed(fetched, path, caller, known, false));
  }

  function readOnce(path: string): Known {
    const known = paths.get(path);
    if (known !== undefined) return known;
    const read = { asked: readPath(path) };
    paths.set(path, read);
    return read;
  }

  /** A caller that is bound to a role gets it, however it spells it. */
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

  function succeed(credentials: Credentials, path: string, { name }: Caller, known: Known, cached: boolean): Response {
    if (known.isUnsure) roles?.checkArn(credentials.roleArn);
    const { body, expiration } = toWire(credentials);
    const last = known.last;
    if (cached && last?.credentials === credentials && last.caller === name) {
      log.info("credentials returned", last.fields);
    } else {
      const fields = { caller: name, path, role: credentials.roleArn, outcome: "returned", expiration, cached };
      if (cached) known.last = { credentials, caller: name, fields };
      log.info("credentials returned", fields);
    }
    return new Response(body, JSON_OK);
  }

  function refuse(error: unknown, path: string, { name: caller }: Caller, known?: Known): never {
    const role = known?.asked.kind === "role" ? known.asked.role.id : known && "";
    const outcome = error instanceof AppError ? error.code : "failed";
    const cause = error instanceof AppError ? error.publicMessage : undefined;
    log.warning("credentials refused", { caller, path: path.slice(0, SHOWN_CHARACTERS_MAX), role, outcome, cause });
    throw error;
  }

  const handle = deps.handler(answer);
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
