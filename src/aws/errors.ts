import { AppError, type ErrorCode } from "../errors.ts";

/** What was being done, for the sentence and for the meaning of a refusal. */
export interface Attempt {
  /** Such as `sts:AssumeRole of arn:aws:iam::111122223333:role/app`. */
  readonly action: string;
  /** Whether AccessDenied means that this role was refused. */
  readonly role?: boolean;
  /** Whether this attempt was part of finding the identity, so that any refusal is a failure of the identity. */
  readonly identity?: boolean;
  /** The next step when the identity itself is at fault. */
  readonly remedy: string;
}

const BAD_IDENTITY = new Set([
  "InvalidClientTokenId",
  "InvalidAccessKeyId",
  "UnrecognizedClientException",
  "UnauthorizedException",
  "InvalidIdentityToken",
  "ExpiredToken",
  "ExpiredTokenException",
  "SignatureDoesNotMatch",
  "InvalidSignatureException",
  "IncompleteSignature",
  "AuthFailure",
]);
const THROTTLED = /^(Throttl|RequestLimitExceeded|TooManyRequests|SlowDown|RequestThrottled|Bandwidth|PriorRequestNot)/;
const NETWORK =
  /^(ECONN|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT|EHOST|ENET|ConnectionRefused|ConnectionClosed|FailedToOpenSocket|DNS|UNABLE_TO_|CERT_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS|Unexpected)/;
/** What botched signatures echo back: a canonical request with the session token in it. */
const QUIET = new Set(["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"]);

/**
 * Turns what the SDK threw into what a caller may read.
 *
 * @returns an AppError with AWS's own code and the next step; an AppError that comes in goes out as it is
 */
export function toAppError(error: unknown, attempt: Attempt): AppError {
  if (error instanceof AppError) return error;
  const { name, code, status, message } = facts(error);
  const say = (errorCode: ErrorCode, what: string, hint: string): AppError =>
    new AppError(errorCode, `${attempt.action} ${what}`, { hint, cause: error });

  if (name === "TimeoutError" || name === "AbortError") {
    return say(
      "upstream-unavailable",
      "was not answered in time",
      "retry; check the network, HTTPS_PROXY and STS_ENDPOINT",
    );
  }
  if (NETWORK.test(code)) {
    const hint = "check the network, HTTPS_PROXY, AWS_CA_BUNDLE and STS_ENDPOINT";
    return say("upstream-unavailable", `could not reach AWS (${code})`, hint);
  }
  if (THROTTLED.test(name)) return say("upstream-unavailable", `was throttled by AWS (${name})`, "retry later");
  if (status >= 500) return say("upstream-unavailable", `failed at AWS (${name}, status ${status})`, "retry later");
  const text = QUIET.has(name) || message === "" ? name : `${name}: ${message}`;
  if (BAD_IDENTITY.has(name) || attempt.identity) return say("identity-failed", `failed (${text})`, attempt.remedy);
  if (attempt.role && /^AccessDenied/.test(name)) {
    const hint = "allow it in the role's trust policy and for the identity, and check the role's name and account";
    return say("role-refused", `was refused (${text})`, hint);
  }
  return say("upstream-refused", `was refused (${text})`, "see the code in the AWS documentation");
}

interface Facts {
  readonly name: string;
  readonly code: string;
  readonly status: number;
  readonly message: string;
}

function facts(error: unknown): Facts {
  if (!(error instanceof Error)) return { name: "Error", code: "", status: 0, message: "" };
  const sdk = error as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } };
  return {
    name: error.name,
    code: typeof sdk.code === "string" ? sdk.code : "",
    status: sdk.$metadata?.httpStatusCode ?? 0,
    message: withoutSecrets(error.message),
  };
}

/**
 * A foreign text made fit for an answer: its first line, at most 300 characters, without anything that has the shape
 * of a key id, a secret or a token.
 */
export function withoutSecrets(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line
    .replace(/\b(AKIA|ASIA)[A-Z0-9]{8,}\b/g, "$1…")
    .replace(/[A-Za-z0-9+/=_-]{40,}/g, (run) => (/[A-Z]/.test(run) && /\d/.test(run) ? "…" : run))
    .slice(0, 300);
}
