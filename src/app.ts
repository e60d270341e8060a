import { Elysia } from "elysia";
import type { RateLimit } from "./config/access.ts";
import type { Vendor } from "./credentials/vendor.ts";
import type { Caller, Callers } from "./engine/caller.ts";
import { AppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Introspection } from "./metadata/introspection.ts";
import type { Metadata } from "./metadata/metadata.ts";
import type { AgentApi } from "./metadata/task-protection.ts";
import { agentApiRoutes } from "./routes/agent-api.ts";
import { credentialRoutes } from "./routes/credentials.ts";
import type { RoleRule } from "./routes/guard/allowed-roles.ts";
import type { CallerRole } from "./routes/guard/caller-role.ts";
import { createGuard, type GuardOptions } from "./routes/guard.ts";
import { createHandlers, type Route } from "./routes/handler.ts";
import { createHealth, type HealthFacts } from "./routes/health.ts";
import { toResponse, unknownRoute } from "./routes/http-error.ts";
import { introspectionRoutes } from "./routes/introspection.ts";
import { metadataRoutes } from "./routes/metadata.ts";
import { isCredentialsPath, pathOf } from "./routes/path.ts";
import { limitRate } from "./routes/rate-limit.ts";

const SHOWN_CHARACTERS_MAX = 256;

export interface AppDeps {
  readonly vendor: Vendor;
  readonly metadata: Metadata;
  readonly agentApi: AgentApi;
  readonly introspection: Introspection;
  readonly guard: GuardOptions;
  /** Which caller may have which credentials; a test of something else leaves rules out. */
  readonly access?: {
    readonly token?: ((request: Request) => void) | undefined;
    readonly roles?: RoleRule;
    readonly labelRole?: CallerRole;
    readonly taskRole?: CallerRole | undefined;
  };
  readonly health?: HealthFacts;
  readonly rateLimit?: RateLimit | undefined;
  readonly log: Log;
  readonly callers: Callers;
  /** The address that a request came from. */
  readonly addressOf: (request: Request) => string;
  /** Its port; 0 unless given. */
  readonly portOf?: (request: Request) => number;
}

/**
 * Connects guard, routes and error mapping.
 *
 * @returns the `fetch` of `Bun.serve`. Elysia's own `listen` would compile the routes a second time while the first
 *   requests wait, and share a port that is taken.
 */
export function createApp(deps: AppDeps): (request: Request) => Response | Promise<Response> {
  const { log } = deps;
  const guard = createGuard(deps.guard);

  function logRefusal(path: string, { name: caller }: Caller, outcome: string, cause?: string): void {
    const event = isCredentialsPath(path) ? "credentials refused" : "a request was refused";
    log.warning(event, { caller, path: path.slice(0, SHOWN_CHARACTERS_MAX), outcome, cause });
  }

  /** Answers what the guard refused. Only a forbidden caller and a request for credentials get a line in the log. */
  function refuse(error: unknown, path: string, caller: Caller): Response {
    if (!(error instanceof AppError)) return fail(error, path);
    if (isCredentialsPath(path) || error.code === "forbidden") {
      logRefusal(path, caller, error.code, error.publicMessage);
    }
    return toResponse(error, path);
  }

  function fail(error: unknown, path: string): Response {
    if (!(error instanceof AppError)) {
      log.error("a request failed unexpectedly", { path, cause: whereFailed(error) });
    }
    return toResponse(error, path);
  }

  const handler = createHandlers({ guard, callers: deps.callers, addressOf: deps.addressOf, refuse, fail });
  /** Unknown paths are guarded too. */
  const nothing = handler((path) => {
    throw unknownRoute(path);
  });
  const health = handler(createHealth(deps.guard.caller, deps.health));
  const routes: readonly Route[] = [
    ["/health", health],
    ...credentialRoutes({ vendor: deps.vendor, log, ...deps.access, handler }),
    ...metadataRoutes(deps.metadata, handler),
    ...introspectionRoutes(deps.introspection, handler),
  ];
  // By default, Elysia expects a Host of at least four characters; a Compose service may be called "ecs".
  const app = new Elysia({ handler: { standardHostname: false } }).onError(({ error, code, request }) => {
    if (code !== "NOT_FOUND") return fail(error, pathOf(request.url));
    return nothing({ request });
  });
  for (const [pattern, handle] of routes) app.get(pattern, handle);
  // The guard knows which methods each of these takes.
  for (const [pattern, handle] of agentApiRoutes(deps.agentApi, log, handler)) app.all(pattern, handle);
  /** Without a Host a URL is only a path, in which Elysia would look for another path than the guard has checked. */
  const fetch = (request: Request): Response | Promise<Response> => {
    if (!request.url.startsWith("/")) return app.fetch(request);
    return pathOf(request.url) === "/health" ? health({ request }) : nothing({ request });
  };
  if (deps.rateLimit === undefined) return fetch;
  return limitRate(fetch, deps.rateLimit, {
    peerOf: (request) => ({ address: deps.addressOf(request), port: deps.portOf?.(request) ?? 0 }),
    now: () => performance.now(),
    refused: (path, address) => logRefusal(path, deps.callers.identifyNow(address), "rate-limited"),
  });
}

/** Kind and place of an unexpected error. Its text may quote a secret. */
function whereFailed(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return `${error.name} ${
    error.stack
      ?.split("\n")
      .find((line) => line.trimStart().startsWith("at "))
      ?.trim() ?? ""
  }`;
}
