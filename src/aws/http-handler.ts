import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import {
  buildQueryString,
  type HttpHandler,
  type HttpHandlerOptions,
  type HttpRequest,
  HttpResponse,
} from "@smithy/core/protocols";
import type { Environment } from "../config/config.ts";
import { readAuthorities } from "./ca-bundle.ts";
import { createProxyChoice } from "./proxy.ts";
import { noAnswer, refusedByProxy, TOO_LONG, unreachable, unreadable, type Way } from "./unreachable.ts";

const DEADLINE_MS = 10_000;

/**
 * Carries the SDK's requests over `fetch`, which keeps connections and, unlike the SDK's own handlers, takes a proxy and
 * authorities, and has a deadline that covers the body, and a bound of 1 MiB for it.
 *
 * @param env AWS_CA_BUNDLE, SSL_CERT_FILE; HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY
 * @param deadlineMs for one attempt, from the first byte sent to the last byte read
 * @returns a handler whose requests reject with `Unreachable`, which says why no answer came, or with AppError
 *   `bad-configuration` when a file of authorities cannot be read
 */
export function createHttpHandler(env: Environment, deadlineMs: number = DEADLINE_MS): HttpHandler {
  let tls: { readonly rejectUnauthorized: true; readonly ca?: string[] } | undefined;
  const proxyFor = createProxyChoice(env);

  /** Read on first need: an emulator without TLS needs none of it. */
  function verified(): typeof tls {
    const ca = tls ? undefined : readAuthorities(env);
    // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED=0 turns verification off if it is not.
    tls ??= { rejectUnauthorized: true, ...(ca && { ca: [...ca] }) };
    return tls;
  }

  async function handle(request: HttpRequest, options: HttpHandlerOptions = {}): Promise<{ response: HttpResponse }> {
    const query = buildQueryString(request.query ?? {});
    const port = request.port === undefined ? "" : `:${request.port}`;
    const url = new URL(`${request.protocol}//${request.hostname}${port}`);
    const proxy = proxyFor(url);
    const deadline = AbortSignal.timeout(options.requestTimeout ?? deadlineMs);
    const signals = options.abortSignal instanceof AbortSignal ? [options.abortSignal, deadline] : [deadline];
    const init = {
      method: request.method,
      // An answer that is packed all the same is unpacked in `readBody`.
      headers: { ...request.headers, "accept-encoding": "identity" },
      decompress: false,
      body: request.method === "GET" || request.method === "HEAD" ? undefined : request.body,
      redirect: "manual",
      signal: AbortSignal.any(signals),
      // `false` keeps Bun from choosing by the environment of the process once more.
      proxy: proxy?.href ?? false,
      ...(url.protocol === "https:" && { tls: verified() }),
    } as unknown as BunFetchRequestInit;
    const way = { server: `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`, proxy: proxy?.host };
    const { answer, body } = await send(`${url.origin}${request.path}${query === "" ? "" : `?${query}`}`, init, way);
    // Without TLS there is no tunnel that the proxy could refuse: its refusal looks like the server's.
    if (answer.status === 407) throw unreachable(new Error("407"), refusedByProxy(407, way));
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

async function send(
  url: string,
  init: BunFetchRequestInit,
  way: Way,
): Promise<{ readonly answer: Response; readonly body: Uint8Array }> {
  try {
    const answer = await fetch(url, init);
    return { answer, body: await readBody(answer) };
  } catch (error) {
    const why = noAnswer(error, way) ?? unreadable(error, way);
    throw why === undefined ? error : unreachable(error, why);
  }
}

/** Many times what AWS answers to the calls that we make. */
const BODY_BYTES_MAX = 1024 * 1024;
const UNPACK = new Map([
  ["gzip", gunzipSync],
  ["deflate", inflateSync],
  ["br", brotliDecompressSync],
]);

/**
 * The body of an answer that was fetched with `decompress: false`: Bun unpacks ahead of who reads, without a bound.
 *
 * @throws an Error with a `code`: `TOO_LONG` for a body of more than 1 MiB, or what the connection or the unpacking says
 */
async function readBody(answer: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) throw Object.assign(new Error("the answer is too long"), { code: TOO_LONG });
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const unpack = UNPACK.get(answer.headers.get("content-encoding") ?? "");
  return unpack === undefined || bytes === 0 ? body : unpack(body, { maxOutputLength: BODY_BYTES_MAX });
}
