import { toWire } from "../credentials/response.ts";
import type { Vendor } from "../credentials/vendor.ts";
import type { Inventory } from "../engine/inventory.ts";
import { canonicalAddress } from "../engine/ip-address.ts";
import { version } from "../version.ts";
import { type CallerOptions, createAcquaintance } from "./guard/caller.ts";
import type { Answer } from "./handler.ts";
import { JSON_OK } from "./http-error.ts";

/** What is known of the program's health without asking anybody. */
export interface HealthFacts {
  readonly contact: Inventory["contact"];
  readonly session: Vendor["session"];
}

/**
 * Answers `/health`, always with 200: who can answer is well. An engine or an identity that is lost is told and is no
 * reason to be restarted, which brings neither back and would lose what can still be answered from memory.
 *
 * Anybody may ask, so a stranger learns that we answer and nothing else. The rest is for those whom the guard answers on
 * other paths: version, contact with the engine, and until when the credentials of `/creds` are good. No name, no path.
 *
 * @param caller whom the guard knows; without it everybody counts as known, as in a test of something else
 */
export function createHealth(caller: CallerOptions | undefined, facts: HealthFacts | undefined): Answer {
  const acquaintance = caller && createAcquaintance(caller);
  return (_path, address) => {
    const isStranger = acquaintance?.isKnown(canonicalAddress(address)) === false;
    if (facts === undefined || isStranger) return new Response('{"status":"ok"}', JSON_OK);
    const session = facts.session();
    const identity =
      session.status === "ok"
        ? { status: session.status, expiration: toWire(session.credentials).expiration }
        : session;
    return new Response(JSON.stringify({ status: "ok", version, engine: facts.contact(), identity }), JSON_OK);
  };
}
