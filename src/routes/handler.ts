import type { Fail } from "./http-error.ts";

/** The address that a request came from, as its socket has it. An argument, because a test has no socket. */
export type AddressOf = (request: Request) => string;

/** Answers one route. `id` is what stands in its path for `:id`. What fails is thrown, or rejected with, as AppError. */
export type Answer = (request: Request, address: string, id: string | undefined) => Response | Promise<Response>;

/** What Elysia calls for a route. It takes no more of the context than it needs: Elysia makes only what is named here. */
export type Handler = (context: {
  readonly request: Request;
  readonly params?: { readonly id?: string; readonly "*"?: string };
}) => Response | Promise<Response>;

/**
 * Puts the guard before an answer and the error mapping behind it. As hooks of Elysia's they would make every handler
 * asynchronous, and its `server` is defined anew on every context: together a third of a request's time.
 */
export function createHandlers(deps: {
  readonly guard: (request: Request) => void;
  readonly addressOf: AddressOf;
  readonly fail: Fail;
}): (answer: Answer) => Handler {
  const { guard, addressOf, fail } = deps;
  return (answer) =>
    ({ request, params }) => {
      try {
        guard(request);
        const response = answer(request, addressOf(request), params?.id);
        if (!(response instanceof Promise)) return response;
        return response.catch((error: unknown) => fail(error, request));
      } catch (error) {
        return fail(error, request);
      }
    };
}
