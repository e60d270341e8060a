import type { ErrorCode } from "../errors.ts";

/** The code of what is too long, whether as it came or unpacked: that of `node:zlib`. */
export const TOO_LONG = "ERR_BUFFER_TOO_LARGE";

/** Where a request went that got no answer, as a sentence may show it: without user, password and path. */
export interface Way {
  /** `sts.eu-west-1.amazonaws.com:443` */
  readonly server: string;
  /** `proxy.corp:3128`, where the request went through one. */
  readonly proxy?: string;
}

/** Why no answer of AWS came. `what` follows the action in a sentence; `hint` is the remedy. */
export interface NoAnswer {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

const CHECK = "check the network, HTTPS_PROXY and STS_ENDPOINT";
/** For an answer of an unknown server. */
export const UNREADABLE: NoAnswer = {
  code: "upstream-unavailable",
  what: "had an answer that cannot be read",
  hint: CHECK,
};
const NETWORK =
  /^(ECONN|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT|EHOST|ENET|EADDRNOTAVAIL|Connection|FailedToOpenSocket|DNS|Unexpected|Malformed_HTTP|InvalidHTTP|UnsupportedProxy)/;
const CERTIFICATE = /^(UNABLE_TO_|CERT_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS|INVALID_CA|HOSTNAME_MISMATCH)/;

/**
 * Reads what `fetch` threw.
 *
 * @returns undefined for an error that is not one of the network's
 */
export function noAnswer(error: unknown, way: Way): NoAnswer | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = String((error as { code?: unknown }).code ?? "");
  const { server, proxy } = way;
  if (error.name === "TimeoutError" || error.name === "AbortError") {
    return { code: "upstream-unavailable", what: `had no answer from ${server} in time`, hint: `retry; ${CHECK}` };
  }
  if (code === "ERR_PROXY_TUNNEL") return refusedByProxy((error as { status?: number }).status ?? 0, way);
  if (CERTIFICATE.test(code)) return untrusted(code, server);
  if (code === "EPROTO") {
    const hint = "write http:// in STS_ENDPOINT or IAM_ENDPOINT if that server speaks plain HTTP";
    return { code: "upstream-unavailable", what: `got no TLS from ${server} (EPROTO)`, hint };
  }
  if (!NETWORK.test(code)) return undefined;
  if (proxy !== undefined) {
    const hint = `correct HTTPS_PROXY, or name ${hostOf(server)} in NO_PROXY`;
    return { code: "upstream-unavailable", what: `could not go through the proxy ${proxy} (${code})`, hint };
  }
  if (code === "ENOTFOUND" || code.startsWith("EAI_")) {
    const hint = "check AWS_REGION, STS_ENDPOINT and this machine's DNS";
    return { code: "upstream-unavailable", what: `could not reach ${server}: no such name (${code})`, hint };
  }
  return { code: "upstream-unavailable", what: `could not reach ${server} (${code})`, hint: CHECK };
}

/** For a code that only `fetch` and `readBody` throw; undefined for an error without one. */
export function unreadable(error: unknown, { server }: Way): NoAnswer | undefined {
  const { code } = error as { code?: unknown };
  if (typeof code !== "string") return undefined;
  const what =
    code === TOO_LONG
      ? `had an answer from ${server} of more than 1 MiB`
      : `had an answer from ${server} that cannot be read (${code})`;
  return { code: "upstream-unavailable", what, hint: CHECK };
}

/** @param status of the proxy's own answer: 407 if it needs a password */
export function refusedByProxy(status: number, { server, proxy = "of HTTPS_PROXY" }: Way): NoAnswer {
  const what = `was refused by the proxy ${proxy} (${status})`;
  const hint =
    status === 407
      ? "put a user and password that it accepts into HTTPS_PROXY: http://<user>:<password>@<host>:<port>"
      : `let the proxy allow ${server}, or name ${hostOf(server)} in NO_PROXY`;
  return { code: "proxy-refused", what, hint };
}

function untrusted(code: string, server: string): NoAnswer {
  const [why, hint] =
    code === "ERR_TLS_CERT_ALTNAME_INVALID"
      ? ["which is for another host", "write the host that the certificate is for in STS_ENDPOINT"]
      : code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID"
        ? ["which is not valid at this time", "renew it, and check this machine's clock with: date -u"]
        : ["whose authority is not known here", "set AWS_CA_BUNDLE to a PEM file with that authority, and restart"];
  return { code: "certificate-untrusted", what: `got a TLS certificate from ${server} ${why} (${code})`, hint };
}

function hostOf(server: string): string {
  return server.replace(/:\d+$/, "");
}

/** What the request handler throws: the SDK's providers keep nothing but its text. */
export interface Unreachable extends Error {
  readonly noAnswer: NoAnswer;
}

/** Wraps what `fetch` threw, under its own name and code, by which the SDK decides what to retry. */
export function unreachable(cause: unknown, answer: NoAnswer): Unreachable {
  const { name = "Error", code } = cause as { name?: string; code?: unknown };
  return Object.assign(new Error(`${answer.what}; ${answer.hint}`, { cause }), { name, code, noAnswer: answer });
}

/** What is known of an error that came out of the SDK. */
export function noAnswerOf(error: unknown): NoAnswer | undefined {
  const wrapped = (error as Partial<Unreachable> | undefined)?.noAnswer;
  return wrapped ?? noAnswer(error, { server: "AWS" });
}
