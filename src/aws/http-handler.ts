import { readFileSync } from "node:fs";
import {
  buildQueryString,
  type HttpHandler,
  type HttpHandlerOptions,
  type HttpRequest,
  HttpResponse,
} from "@smithy/core/protocols";
import type { Environment } from "../config.ts";
import { AppError } from "../errors.ts";

const DEADLINE_MS = 10_000;

/**
 * Carries the SDK's requests over `fetch`, which keeps connections, reads HTTPS_PROXY and NO_PROXY by itself and, unlike
 * the SDK's own handlers, takes a CA and has a deadline that covers the body.
 *
 * @param env `AWS_CA_BUNDLE`, else `SSL_CERT_FILE`, names a PEM file whose authorities are trusted
 * @param deadlineMs for one attempt, from the first byte sent to the last byte read
 * @throws AppError `bad-configuration` when that file cannot be read
 */
export function createHttpHandler(env: Environment, deadlineMs: number = DEADLINE_MS): HttpHandler {
  const tls = readAuthorities(env);

  async function handle(request: HttpRequest, options: HttpHandlerOptions = {}): Promise<{ response: HttpResponse }> {
    const query = buildQueryString(request.query ?? {});
    const port = request.port === undefined ? "" : `:${request.port}`;
    const deadline = AbortSignal.timeout(options.requestTimeout ?? deadlineMs);
    const signals = options.abortSignal instanceof AbortSignal ? [options.abortSignal, deadline] : [deadline];
    const answer = await fetch(
      `${request.protocol}//${request.hostname}${port}${request.path}${query === "" ? "" : `?${query}`}`,
      {
        method: request.method,
        headers: request.headers,
        body: request.method === "GET" || request.method === "HEAD" ? undefined : request.body,
        redirect: "manual",
        signal: AbortSignal.any(signals),
        ...(tls && { tls }),
      },
    );
    const body = new Uint8Array(await answer.arrayBuffer());
    const headers = Object.fromEntries(answer.headers);
    return { response: new HttpResponse({ statusCode: answer.status, reason: answer.statusText, headers, body }) };
  }

  return {
    metadata: { handlerProtocol: "http/1.1" },
    handle,
    destroy: () => {},
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  };
}

function readAuthorities(env: Environment): { ca: string } | undefined {
  const name = env.AWS_CA_BUNDLE ? "AWS_CA_BUNDLE" : "SSL_CERT_FILE";
  const path = env[name];
  if (!path) return undefined;
  try {
    return { ca: readFileSync(path, "utf8") };
  } catch (cause) {
    throw new AppError("bad-configuration", `${name} is '${path}', which cannot be read`, {
      hint: "give a PEM file that this user can read, or unset the variable",
      cause,
    });
  }
}
