import { Elysia } from "elysia";
import type { Vendor } from "./credentials/vendor.ts";
import { AppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Metadata } from "./metadata/metadata.ts";
import { credentialRoutes } from "./routes/credentials.ts";
import { createGuard, type GuardOptions } from "./routes/guard.ts";
import { type AddressOf, createHandlers } from "./routes/handler.ts";
import { JSON_HEADERS, toResponse } from "./routes/http-error.ts";
import { metadataRoutes } from "./routes/metadata.ts";
import { nearestRoute } from "./routes/nearest.ts";
import { pathOf } from "./routes/path.ts";

/** Longer than the slowest answer (1.2 s for a sample), so that Bun never cuts one off. */
const IDLE_TIMEOUT_S = 30;

export interface AppDeps {
  readonly vendor: Vendor;
  readonly metadata: Metadata;
  readonly guard: GuardOptions;
  readonly log: Log;
  /** The container's name for the audit, where the address is known. */
  readonly callerName: (address: string) => string | undefined;
  readonly addressOf?: AddressOf;
}

/** Puts guard, routes and error mapping together. It does not listen. */
export function createApp(deps: AppDeps) {
  const { log } = deps;
  const guard = createGuard(deps.guard);

  /** A path that is none has no handler for the guard to stand before. */
  function refusalOr(unknown: AppError, request: Request): unknown {
    try {
      guard(request);
      return unknown;
    } catch (refusal) {
      return refusal;
    }
  }

  function fail(error: unknown, request: Request): Response {
    const path = pathOf(request.url);
    if (!(error instanceof AppError)) {
      log.error("a request failed unexpectedly", { path, cause: whereFailed(error) });
    } else if (error.code === "forbidden") {
      log.warning("a request was refused", { path, code: error.code, cause: error.publicMessage });
    }
    return toResponse(error, path);
  }

  const app = new Elysia({
    serve: { development: false, idleTimeout: IDLE_TIMEOUT_S },
    // Elysia takes a Host for at least four characters long unless told otherwise; a Compose service may be called "ecs".
    handler: { standardHostname: false },
  });
  const addressOf: AddressOf = deps.addressOf ?? ((request) => app.server?.requestIP(request)?.address ?? "");
  const handler = createHandlers({ guard, addressOf, fail });
  return app
    .onError(({ error, code, request }) => {
      const path = pathOf(request.url);
      return fail(code === "NOT_FOUND" ? refusalOr(unknownRoute(path), request) : error, request);
    })
    .get(
      "/health",
      handler(() => new Response('{"status":"ok"}', { headers: JSON_HEADERS })),
    )
    .use(credentialRoutes({ vendor: deps.vendor, log, callerName: deps.callerName, handler }))
    .use(metadataRoutes(deps.metadata, handler));
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

function unknownRoute(path: string): AppError {
  const shown = path.length > 120 ? `${path.slice(0, 120)}…` : path;
  return new AppError("unknown-route", `There is nothing at ${shown}`, {
    hint: `the nearest route is ${nearestRoute(path)}`,
  });
}
