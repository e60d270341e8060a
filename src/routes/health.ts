import { toWire } from "../credentials/response.ts";
import type { Vendor } from "../credentials/vendor.ts";
import type { Inventory } from "../engine/inventory.ts";
import { version } from "../version.ts";
import { type CallerOptions, isAllowed } from "./guard/caller.ts";
import type { Answer } from "./handler.ts";
import { JSON_OK } from "./http-error.ts";

/** The state of the server, without asking the engine or AWS. */
export interface HealthFacts {
  readonly contact: Inventory["contact"];
  readonly session: Vendor["session"];
}

/**
 * Answers `/health`, always with 200: a restart brings neither the engine nor the identity back. Callers that other paths
 * refuse learn only that the server answers; the others get version, engine and the expiration of `/creds`.
 *
 * @param options of the guard; without them every caller is allowed, as in a test of something else
 */
export function createHealth(options: CallerOptions | undefined, facts: HealthFacts | undefined): Answer {
  return (_path, caller) => {
    const isHidden = options !== undefined && !isAllowed(caller, options);
    if (facts === undefined || isHidden) return new Response('{"status":"ok"}', JSON_OK);
    const session = facts.session();
    const identity =
      session.status === "ok"
        ? { status: session.status, expiration: toWire(session.credentials).expiration }
        : session;
    return new Response(JSON.stringify({ status: "ok", version, engine: facts.contact(), identity }), JSON_OK);
  };
}
