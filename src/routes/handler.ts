import type { Guard } from "./guard.ts";
import type { Fail } from "./http-error.ts";
import { pathOf } from "./path.ts";

/** The address that a request came from, as its socket has it. An argument, because a test has no socket. */
export type AddressOf = (request: Request) => string;

/**
 * Answers one route, for the path as it was sent and the address that asks. What fails is thrown, or rejected with, as
 * AppError.
 */
export type Answer = (path: string, address: string) => Response | Promise<Response>;

/** What Elysia calls for a route. It takes no more of the context than it needs: Elysia makes only what is named here. */
export type Handler = (context: { readonly request: Request }) => Response | Promise<Response>;

/** Elysia is told of each: a pattern of its router, and what answers. */
export type Route = readonly [pattern: string, handler: Handler];

/**
 * Puts the guard before an answer and the error mapping behind it. As hooks of Elysia's they would make every handler
 * asynchronous, and its `server` is defined anew on every context: together a third of a request's time.
 */
export function createHandlers(deps: {
  readonly guard: Guard;
  readonly addressOf: AddressOf;
  readonly fail: Fail;
}): (answer: Answer) => Handler {
  const { guard, addressOf, fail } = deps;
  return (answer) =>
    ({ request }) => {
      const path = pathOf(request.url);
      try {
        guard(request, path);
        const response = answer(path, addressOf(request));
        return response instanceof Promise ? response.catch((error: unknown) => fail(error, path)) : response;
      } catch (error) {
        return fail(error, path);
      }
    };
}
