import { Elysia } from "elysia";
import type { Vendor } from "./credentials/vendor.ts";
import { AppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Metadata } from "./metadata/metadata.ts";
import { credentialRoutes } from "./routes/credentials.ts";
import { createGuard, type GuardOptions } from "./routes/guard.ts";
import { type AddressOf, createHandlers, type Route } from "./routes/handler.ts";
import { JSON_OK, toResponse } from "./routes/http-error.ts";
import { metadataRoutes } from "./routes/metadata.ts";
import { unknownRoute } from "./routes/nearest.ts";
import { pathOf } from "./routes/path.ts";

export interface AppDeps {
  readonly vendor: Vendor;
  readonly metadata: Metadata;
  readonly guard: GuardOptions;
  readonly log: Log;
  /** The container's name for the audit, where the address is known. */
  readonly callerName: (address: string) => string | undefined;
  readonly addressOf: AddressOf;
}

/**
 * Puts guard, routes and error mapping together. It does not listen.
 *
 * @returns what answers a request, for `Bun.serve`. Elysia's own `listen` compiles its routes a second time while the
 *   first requests wait, and shares a port that is taken.
 */
export function createApp(deps: AppDeps): (request: Request) => Response | Promise<Response> {
  const { log } = deps;
  const guard = createGuard(deps.guard);

  /** A path that is none has no handler for the guard to stand before. */
  function refusalOr(unknown: AppError, request: Request, path: string): unknown {
    try {
      guard(request, path);
      return unknown;
    } catch (refusal) {
      return refusal;
    }
  }

  function fail(error: unknown, path: string): Response {
    if (!(error instanceof AppError)) {
      log.error("a request failed unexpectedly", { path, cause: whereFailed(error) });
    } else if (error.code === "forbidden") {
      log.warning("a request was refused", { path, code: error.code, cause: error.publicMessage });
    }
    return toResponse(error, path);
  }

  const handler = createHandlers({ guard, addressOf: deps.addressOf, fail });
  const routes: readonly Route[] = [
    ["/health", handler(() => new Response('{"status":"ok"}', JSON_OK))],
    ...credentialRoutes({ vendor: deps.vendor, log, callerName: deps.callerName, handler }),
    ...metadataRoutes(deps.metadata, handler),
  ];
  // Elysia takes a Host for at least four characters long unless told otherwise; a Compose service may be called "ecs".
  const app = new Elysia({ handler: { standardHostname: false } }).onError(({ error, code, request }) => {
    const path = pathOf(request.url);
    return fail(code === "NOT_FOUND" ? refusalOr(unknownRoute(path), request, path) : error, path);
  });
  for (const [pattern, handle] of routes) app.get(pattern, handle);
  return app.fetch;
}

/** Kind and place of an error that nobody foresaw. Not its text, which may quote what must not be in a log. */
function whereFailed(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return `${error.name} ${
    error.stack
      ?.split("\n")
      .find((line) => line.trimStart().startsWith("at "))
      ?.trim() ?? ""
  }`;
}
