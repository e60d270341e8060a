import { Elysia } from "elysia";
import type { RateLimit } from "./config/access.ts";
import type { Vendor } from "./credentials/vendor.ts";
import { canonicalAddress } from "./engine/ip-address.ts";
import { AppError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Introspection } from "./metadata/introspection.ts";
import type { Metadata } from "./metadata/metadata.ts";
import type { AgentApi } from "./metadata/task-protection.ts";
import { agentApiRoutes } from "./routes/agent-api.ts";
import { credentialRoutes } from "./routes/credentials.ts";
import type { RoleRule } from "./routes/guard/allowed-roles.ts";
import type { Binding, TaskRole } from "./routes/guard/caller-role.ts";
import type { Rule } from "./routes/guard/rule.ts";
import { createGuard, type GuardOptions } from "./routes/guard.ts";
import { type AddressOf, createHandlers, type Route } from "./routes/handler.ts";
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
  /** Who may have which credentials. What is not given is not asked, as in a test of something else. */
  readonly access?: {
    readonly token?: Rule | undefined;
    readonly roles?: RoleRule;
    readonly boundRole?: Binding;
    readonly taskRole?: TaskRole | undefined;
  };
  /** What `/health` says beside that we answer. */
  readonly health?: HealthFacts;
  readonly rateLimit?: RateLimit | undefined;
  readonly log: Log;
  /** The container's name for the audit, where the address is known. */
  readonly callerName: (address: string) => string | undefined;
  readonly addressOf: AddressOf;
  /** The port that a request came from; 0 unless given. */
  readonly portOf?: (request: Request) => number;
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

  function logRefusal(path: string, address: string, outcome: string, cause?: string): void {
    const caller = deps.callerName(address) ?? canonicalAddress(address);
    const event = isCredentialsPath(path) ? "credentials refused" : "a request was refused";
    log.warning(event, { caller, path: path.slice(0, SHOWN_CHARACTERS_MAX), outcome, cause });
  }

  /** Answers what the guard refused. Slips of a hand are not worth a line, but of those who wanted credentials. */
  function refuse(error: unknown, path: string, address: string): Response {
    if (!(error instanceof AppError)) return fail(error, path);
    if (isCredentialsPath(path) || error.code === "forbidden") {
      logRefusal(path, address, error.code, error.publicMessage);
    }
    return toResponse(error, path);
  }

  function fail(error: unknown, path: string): Response {
    if (!(error instanceof AppError)) {
      log.error("a request failed unexpectedly", { path, cause: whereFailed(error) });
    }
    return toResponse(error, path);
  }

  const handler = createHandlers({ guard, addressOf: deps.addressOf, refuse, fail });
  /** A path that is none stands behind the guard as well. */
  const nothing = handler((path) => {
    throw unknownRoute(path);
  });
  const health = handler(createHealth(deps.guard.caller, deps.health));
  const routes: readonly Route[] = [
    ["/health", health],
    ...credentialRoutes({ vendor: deps.vendor, log, callerName: deps.callerName, ...deps.access, handler }),
    ...metadataRoutes(deps.metadata, handler),
    ...introspectionRoutes(deps.introspection, handler),
  ];
  // Elysia takes a Host for at least four characters long unless told otherwise; a Compose service may be called "ecs".
  const app = new Elysia({ handler: { standardHostname: false } }).onError(({ error, code, request }) => {
    if (code !== "NOT_FOUND") return fail(error, pathOf(request.url));
    return nothing({ request });
  });
  for (const [pattern, handle] of routes) app.get(pattern, handle);
  // The only ones that are not just read. The guard knows the methods of each.
  for (const [pattern, handle] of agentApiRoutes(deps.agentApi, log, handler)) app.all(pattern, handle);
  /**
   * The URL of a request without a Host is only a path, and Elysia would look for the path within it, behind what the
   * guard has seen: such a request is never shown to it.
   */
  const fetch = (request: Request): Response | Promise<Response> => {
    if (!request.url.startsWith("/")) return app.fetch(request);
    return pathOf(request.url) === "/health" ? health({ request }) : nothing({ request });
  };
  if (deps.rateLimit === undefined) return fetch;
  return limitRate(fetch, deps.rateLimit, {
    peerOf: (request) => ({ address: deps.addressOf(request), port: deps.portOf?.(request) ?? 0 }),
    now: () => performance.now(),
    refused: (path, address) => logRefusal(path, address, "rate-limited"),
  });
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
