import { LRUCache } from "lru-cache";
import type { Credentials } from "../aws/contract.ts";
import { toWire } from "../credentials/response.ts";
import { parseRole } from "../credentials/role.ts";
import type { Vendor, VendRequest } from "../credentials/vendor.ts";
import { AppError } from "../errors.ts";
import type { Fields, Log } from "../log.ts";
import type { Answer, Handler, Route } from "./handler.ts";
import { JSON_OK } from "./http-error.ts";

const PATHS_MAX = 1000;
const SHOWN_CHARACTERS_MAX = 256;
const SESSION: VendRequest = { kind: "session" };

/** What is known of a path, which comes again and again. */
interface Known {
  readonly asked: VendRequest;
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
  readonly handler: (answer: Answer) => Handler;
}): readonly Route[] {
  const { vendor, log } = deps;
  const paths = new LRUCache<string, Known>({ max: PATHS_MAX });

  function answer(path: string, address: string): Response | Promise<Response> {
    try {
      const known = readOnce(path);
      const credentials = vendor.vend(known.asked);
      if (!(credentials instanceof Promise)) return vended(credentials, path, address, known);
      return credentials.then(
        (fetched) => vended(fetched, path, address),
        (error: unknown) => refuse(error, path, address),
      );
    } catch (error) {
      return refuse(error, path, address);
    }
  }

  function readOnce(path: string): Known {
    const known = paths.get(path);
    if (known !== undefined) return known;
    const read = { asked: readPath(path) };
    paths.set(path, read);
    return read;
  }

  /** @param known where the credentials were at hand */
  function vended(credentials: Credentials, path: string, address: string, known?: Known): Response {
    const { body, expiration } = toWire(credentials);
    const caller = deps.callerName?.(address) ?? address;
    const last = known?.last;
    if (last?.credentials === credentials && last.caller === caller) log.info("credentials vended", last.fields);
    else {
      const cached = known !== undefined;
      const fields = { caller, path, role: credentials.roleArn, outcome: "vended", expiration, cached };
      if (known) known.last = { credentials, caller, fields };
      log.info("credentials vended", fields);
    }
    return new Response(body, JSON_OK);
  }

  function refuse(error: unknown, path: string, address: string): never {
    const caller = deps.callerName?.(address) ?? address;
    const outcome = error instanceof AppError ? error.code : "failed";
    const cause = error instanceof AppError ? error.publicMessage : undefined;
    log.warning("credentials refused", { caller, path: path.slice(0, SHOWN_CHARACTERS_MAX), outcome, cause });
    throw error;
  }

  const handle = deps.handler(answer);
  return ["/creds", "/v2/credentials/*", "/role", "/role/*", "/role-arn", "/role-arn/*"].map((pattern) => [
    pattern,
    handle,
  ]);
}

function readPath(path: string): VendRequest {
  const match = /^\/(role|role-arn)(?:\/(.*))?$/.exec(path);
  if (match === null) return SESSION;
  return { kind: "role", role: parseRole(match[2] ?? "", match[1] === "role-arn" ? "arn" : "any") };
}
