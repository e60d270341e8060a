/**
 * Every way in which a request or a start can fail. A closed set: `routes/http-error.ts` maps each to a status and
 * a body, and nothing else does.
 */
export type ErrorCode =
  // what was asked
  | "unknown-route"
  | "method-not-allowed"
  | "bad-path"
  | "bad-role"
  | "forbidden"
  | "unauthorized"
  | "role-not-allowed"
  | "no-task-role"
  | "own-request"
  | "bad-request"
  // who asked, and for which container
  | "caller-unknown"
  | "container-unknown"
  | "container-ambiguous"
  | "container-not-running"
  // the engine
  | "engine-unavailable"
  | "engine-refused"
  | "engine-bad-answer"
  // the identity and AWS
  | "no-identity"
  | "identity-failed"
  | "role-refused"
  | "clock-skew"
  | "no-such-role"
  | "certificate-untrusted"
  | "proxy-refused"
  | "upstream-throttled"
  | "upstream-refused"
  | "upstream-unavailable"
  // ourselves
  | "bad-configuration"
  | "cannot-listen"
  | "network-failed"
  | "command-failed";

export interface AppErrorOptions {
  /** The next step for the user, one sentence. */
  readonly hint?: string;
  /** What was caught. For the log only: it is never part of an answer. */
  readonly cause?: unknown;
  /** The task that was meant, if one was found: task protection's error has it beside the text. */
  readonly taskArn?: string;
}

/**
 * A failure that the caller may read about. `publicMessage` says what failed with the value that was wrong and holds
 * no secret; `hint` says what to do; `cause` stays with us.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly publicMessage: string;
  readonly hint: string | undefined;
  readonly taskArn: string | undefined;

  constructor(code: ErrorCode, publicMessage: string, options: AppErrorOptions = {}) {
    super(publicMessage, { cause: options.cause });
    this.code = code;
    this.publicMessage = publicMessage;
    this.hint = options.hint;
    this.taskArn = options.taskArn;
  }

  /** Cause and remedy as one text, as a client's log will show it. */
  get sentence(): string {
    return this.hint === undefined ? this.publicMessage : `${this.publicMessage}; ${this.hint}`;
  }
}
