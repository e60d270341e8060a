import { AppError, type ErrorCode } from "../errors.ts";
import { noAnswerOf, UNREADABLE } from "./unreachable.ts";

/** What was being done, for the sentence and for the meaning of a refusal. */
interface Attempt {
  /** Such as `sts:AssumeRole of arn:aws:iam::111122223333:role/app`. */
  readonly action: string;
  /** Whether AccessDenied means that this role was refused. */
  readonly role?: boolean;
  /** Whether this attempt was part of finding the identity, so that any refusal is a failure of the identity. */
  readonly identity?: boolean;
  /** The command that tries the same by hand. */
  readonly probe?: string;
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
const SKEWED = new Set(["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]);
/** Looking for secrets takes the square of this. */
const READ_CHARACTERS_MAX = 4096;
/** What botched signatures echo back: a canonical request with the session token in it. */
const QUIET = new Set(["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"]);

/**
 * Turns what the SDK threw into what a caller may read. docs/errors.md has every sentence.
 *
 * @param now milliseconds since 1970, to compare with AWS's clock
 * @returns an AppError with AWS's own code and the next step; an AppError that comes in goes out as it is
 */
export function toAppError(error: unknown, attempt: Attempt, now: number = Date.now()): AppError {
  if (error instanceof AppError) return error;
  const say = (errorCode: ErrorCode, what: string, hint: string): AppError =>
    new AppError(errorCode, `${attempt.action} ${what}`, { hint, cause: error });

  const { name, status, message, date } = facts(error);
  // AWS's errors have an error status. Any other error means that AWS did not answer.
  const isUnreadable = name === "SyntaxError" || (status >= 200 && status < 400);
  const unanswered = noAnswerOf(error) ?? (isUnreadable ? UNREADABLE : undefined);
  if (unanswered !== undefined) return say(unanswered.code, unanswered.what, unanswered.hint);
  if (isSkewRefusal(error)) {
    const hint =
      "set this machine's clock: sudo timedatectl set-ntp true (in a virtual machine: sudo hwclock --hctosys)";
    return say("clock-skew", `was refused because of this machine's clock (${name}): ${skewText(date, now)}`, hint);
  }
  if (THROTTLED.test(name)) {
    return say(
      "upstream-throttled",
      `was throttled by AWS (${name})`,
      "retry in some seconds: AWS limits calls by account",
    );
  }
  if (status >= 500) {
    return say(
      "upstream-unavailable",
      `failed at AWS (${name}, status ${status})`,
      "retry; see https://health.aws.amazon.com",
    );
  }
  const text = QUIET.has(name) || message === "" ? name : `${name}: ${message}`;
  if (BAD_IDENTITY.has(name) || attempt.identity) return say("identity-failed", `failed (${text})`, attempt.remedy);
  if (attempt.role && /^(AccessDenied|NoSuchEntity)/.test(name)) {
    const hint = `allow it in the role's trust policy and to the identity${attempt.probe ? `; try: ${attempt.probe}` : ""}`;
    return say("role-refused", `was refused (${text})`, hint);
  }
  return say("upstream-refused", `was refused (${text})`, "see the code in the documentation of AWS STS");
}

/** Whether AWS refused the time in a signature, and so this machine's clock. */
export function isSkewRefusal(error: unknown): boolean {
  return (
    error instanceof Error && (SKEWED.has(error.name) || /Signature (expired|not yet current)/.test(error.message))
  );
}

/** Whether STS would have given a shorter session: the role's own limit, or the hour of a chain of roles. */
export function isDurationRefusal(error: unknown): boolean {
  if (!(error instanceof AppError) || !(error.cause instanceof Error)) return false;
  return error.cause.name === "ValidationError" && /DurationSeconds/i.test(error.cause.message);
}

function skewText(date: string | undefined, now: number): string {
  const theirs = Date.parse(date ?? "");
  if (Number.isNaN(theirs)) return "AWS's clock differs from it by more than 5 minutes";
  const seconds = Math.round(Math.abs(now - theirs) / 1000);
  const size =
    seconds < 120
      ? `${seconds} s`
      : seconds < 7200
        ? `${Math.round(seconds / 60)} min`
        : `${Math.round(seconds / 3600)} h`;
  return `it is ${size} ${now < theirs ? "behind" : "ahead of"} AWS's`;
}

interface Facts {
  /** AWS's code. Fit for an answer, as the message is. */
  readonly name: string;
  readonly status: number;
  readonly message: string;
  /** The header Date of AWS's answer. */
  readonly date: string | undefined;
}

function facts(error: unknown): Facts {
  if (!(error instanceof Error)) return { name: "Error", status: 0, message: "", date: undefined };
  const sdk = error as Error & {
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
  };
  return {
    name: withoutSecrets(error.name),
    status: sdk.$metadata?.httpStatusCode ?? 0,
    message: withoutSecrets(error.message),
    date: sdk.$response?.headers?.date,
  };
}

/**
 * A foreign text made fit for an answer: its first line, at most 300 characters, without anything that has the shape
 * of a key id, a secret or a token, and without what Bun quotes of a text that is not JSON.
 */
export function withoutSecrets(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  // Not in the middle of a word: half of a secret is not known for one.
  const read = line.length > READ_CHARACTERS_MAX ? `${upToSpace(line, READ_CHARACTERS_MAX)}…` : line;
  return read
    .replace(/JSON Parse error: .*/, "no JSON")
    .replace(/(?<![A-Z0-9])(AKIA|ASIA)[A-Z0-9]{8,}/g, "$1…")
    .replace(/eyJ[\w-]+\.[\w-]+(\.[\w-]+)?/g, "…")
    .replace(/[A-Za-z0-9+/=_%-]{40,}/g, (run) => (isRandom(run) ? "…" : run))
    .slice(0, 300);
}

function upToSpace(text: string, max: number): string {
  return text.slice(0, Math.max(0, text.lastIndexOf(" ", max)));
}

/** Words and paths in small letters may stay. */
function isRandom(run: string): boolean {
  return /\d/.test(run) || (/[A-Z]/.test(run) && /[a-z]/.test(run));
}
