import type { Caller, Callers } from "../engine/caller.ts";
import type { Guard } from "./guard.ts";
import type { Fail } from "./http-error.ts";
import { pathOf } from "./path.ts";

/** Answers one route. Errors are thrown, or rejected with, as AppError. */
export type Answer = (path: string, caller: Caller, request: Request) => Response | Promise<Response>;

/** Elysia's handler for a route. It names only what it needs of the context, because Elysia makes only that. */
export type Handler = (context: { readonly request: Request }) => Response | Promise<Response>;

/** A pattern of Elysia's router, and its handler. */
export type Route = readonly [pattern: string, handler: Handler];

/**
 * Wraps an answer: check the request, identify the caller once, check the caller, answer, map errors. Elysia's hooks would
 * make every handler asynchronous: a third of a request's time.
 *
 * @param deps.addressOf the address that a request came from
 * @param deps.refuse answers what the guard refused
 * @param deps.fail answers what failed after it
 */
export function createHandlers(deps: {
  readonly guard: Guard;
  readonly callers: Callers;
  readonly addressOf: (request: Request) => string;
  readonly refuse: (error: unknown, path: string, caller: Caller) => Response;
  readonly fail: Fail;
}): (answer: Answer) => Handler {
  const { guard, callers, refuse, fail } = deps;

  function respond(answer: Answer, path: string, caller: Caller, request: Request): Response | Promise<Response> {
    try {
      guard.checkCaller(caller, path);
    } catch (error) {
      return refuse(error, path, caller);
    }
    try {
      const response = answer(path, caller, request);
      return response instanceof Promise ? response.catch((error: unknown) => fail(error, path)) : response;
    } catch (error) {
      return fail(error, path);
    }
  }

  return (answer) =>
    ({ request }) => {
      const path = pathOf(request.url);
      const address = deps.addressOf(request);
      try {
        guard.checkRequest(request, path);
      } catch (error) {
        return refuse(error, path, callers.identifyNow(address));
      }
      // Health must not wait for an engine.
      if (path === "/health") return respond(answer, path, callers.identifyNow(address), request);
      const caller = callers.identify(address);
      if (!(caller instanceof Promise)) return respond(answer, path, caller, request);
      return caller.then((identified) => respond(answer, path, identified, request));
    };
}
