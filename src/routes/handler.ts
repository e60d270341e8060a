import type { Rule } from "./guard/rule.ts";
import type { Guard } from "./guard.ts";
import type { Fail } from "./http-error.ts";
import { pathOf } from "./path.ts";

/** The address that a request came from, as its socket has it. An argument, because a test has no socket. */
export type AddressOf = (request: Request) => string;

/**
 * Answers one route, for the path as it was sent and the address that asks; the request is there for its body, method and
 * query. What fails is thrown, or rejected with, as AppError.
 */
export type Answer = (path: string, address: string, request: Request) => Response | Promise<Response>;

/** What Elysia calls for a route. It takes no more of the context than it needs: Elysia makes only what is named here. */
export type Handler = (context: { readonly request: Request }) => Response | Promise<Response>;

/** Elysia is told of each: a pattern of its router, and what answers. */
export type Route = readonly [pattern: string, handler: Handler];

/**
 * Puts the guard before an answer and the error mapping behind it. As hooks of Elysia's they would make every handler
 * asynchronous, and its `server` is defined anew on every context: together a third of a request's time.
 *
 * @param deps.refuse answers what the guard refused
 * @param deps.fail answers what failed behind it
 * @returns makes a handler; `also` is one rule more for that route, asked behind the guard
 */
export function createHandlers(deps: {
  readonly guard: Guard;
  readonly addressOf: AddressOf;
  readonly refuse: (error: unknown, path: string, address: string) => Response;
  readonly fail: Fail;
}): (answer: Answer, also?: Rule) => Handler {
  const { guard, addressOf, refuse, fail } = deps;

  function respond(answer: Answer, path: string, address: string, request: Request): Response | Promise<Response> {
    try {
      const response = answer(path, address, request);
      return response instanceof Promise ? response.catch((error: unknown) => fail(error, path)) : response;
    } catch (error) {
      return fail(error, path);
    }
  }

  return (answer, also) =>
    ({ request }) => {
      const path = pathOf(request.url);
      const address = addressOf(request);
      try {
        const asked = guard(request, path, address);
        const waits = asked instanceof Promise ? asked.then(() => also?.(request, path, address)) : undefined;
        const allowed = waits ?? also?.(request, path, address);
        if (!(allowed instanceof Promise)) return respond(answer, path, address, request);
        return allowed.then(
          () => respond(answer, path, address, request),
          (error: unknown) => refuse(error, path, address),
        );
      } catch (error) {
        return refuse(error, path, address);
      }
    };
}
