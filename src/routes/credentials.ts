import { Elysia } from "elysia";
import { LRUCache } from "lru-cache";
import type { Credentials } from "../aws/contract.ts";
import { toWire } from "../credentials/response.ts";
import { parseRole } from "../credentials/role.ts";
import type { Vendor, VendRequest } from "../credentials/vendor.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Answer, Handler } from "./handler.ts";
import { JSON_HEADERS } from "./http-error.ts";
import { pathOf } from "./path.ts";

const PATHS_MAX = 1000;
const PATH_CHARACTERS_MAX = 2048;
const SHOWN_CHARACTERS_MAX = 256;
const SESSION: VendRequest = { kind: "session" };

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
}) {
  const { vendor, log } = deps;
  // The same few paths come again and again: each is read once.
  const requests = new LRUCache<string, VendRequest>({ max: PATHS_MAX });

  function answer(request: Request, address: string): Response | Promise<Response> {
    const path = pathOf(request.url);
    try {
      const credentials = vendor.vend(requestOf(path));
      if (!(credentials instanceof Promise)) return vended(credentials, path, address, true);
      return credentials.then(
        (fetched) => vended(fetched, path, address, false),
        (error: unknown) => refuse(error, path, address),
      );
    } catch (error) {
      return refuse(error, path, address);
    }
  }

  function requestOf(path: string): VendRequest {
    const known = requests.get(path);
    if (known !== undefined) return known;
    const read = readPath(path);
    requests.set(path, read);
    return read;
  }

  function vended(credentials: Credentials, path: string, address: string, cached: boolean): Response {
    const { body, expiration } = toWire(credentials);
    const caller = deps.callerName?.(address) ?? address;
    log.info("credentials vended", { caller, path, role: credentials.roleArn, outcome: "vended", expiration, cached });
    return new Response(body, { headers: JSON_HEADERS });
  }

  function refuse(error: unknown, path: string, address: string): never {
    const caller = deps.callerName?.(address) ?? address;
    const outcome = error instanceof AppError ? error.code : "failed";
    const cause = error instanceof AppError ? error.publicMessage : undefined;
    log.warning("credentials refused", { caller, path: path.slice(0, SHOWN_CHARACTERS_MAX), outcome, cause });
    throw error;
  }

  const handle = deps.handler(answer);
  return new Elysia({ name: "credentials" })
    .get("/creds", handle)
    .get("/v2/credentials/:id", handle)
    .get("/role", handle)
    .get("/role/*", handle)
    .get("/role-arn", handle)
    .get("/role-arn/*", handle);
}

function readPath(path: string): VendRequest {
  if (path.length > PATH_CHARACTERS_MAX) {
    throw new AppError(
      "bad-path",
      `the path is ${path.length} characters long; at most ${PATH_CHARACTERS_MAX} are read`,
    );
  }
  const match = /^\/(role|role-arn)(?:\/(.*))?$/.exec(path);
  if (match === null) return SESSION;
  return { kind: "role", role: parseRole(match[2] ?? "", match[1] === "role-arn" ? "arn" : "any") };
}
