import type { HttpHandler, HttpRequest, HttpResponse } from "@smithy/core/protocols";

/** What one request came to. */
export interface Outcome {
  readonly request: HttpRequest;
  readonly response?: HttpResponse;
  /** Why nothing can be said of what was asked: nobody answered, or not AWS, or AWS throttled it or is broken. */
  readonly failure: unknown;
}

/**
 * A handler that tells what each request came to. The SDK's providers keep no more of a failure than its text, or call
 * it a login that has ended.
 */
export function watchedHandler(inner: HttpHandler, tell: (outcome: Outcome) => void): HttpHandler {
  return {
    ...inner,
    async handle(request: HttpRequest, options) {
      const { response } = await inner.handle(request, options).catch((failure: unknown) => {
        tell({ request, failure });
        throw failure;
      });
      tell({ request, response, failure: passing(response) });
      return { response };
    },
  };
}

/** In the shape of the SDK's own errors. */
function passing({ statusCode, headers, body }: HttpResponse): Error | undefined {
  const said = /^\w+/.exec(headers["x-amzn-errortype"] ?? "")?.[0] ?? "InternalFailure";
  const isThrottled = /^(Throttl|TooManyRequests|SlowDown)/.test(said);
  if (isThrottled || statusCode === 429 || statusCode >= 500) {
    const name = isThrottled || statusCode !== 429 ? said : "TooManyRequestsException";
    return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: statusCode } });
  }
  return isJson(body, statusCode) ? undefined : new SyntaxError("no JSON");
}

/** A refusal may have no body. */
function isJson(body: unknown, statusCode: number): boolean {
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : "";
  if (text === "" && statusCode >= 400) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
