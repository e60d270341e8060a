import { AppError } from "../../errors.ts";

const OWN_LIMIT = "a limit of this reader alone";

/** What is refused by us and not by Compose: its files may be larger, deeper and of more documents. */
export function beyondUs(message: string, hint?: string): AppError {
  return new AppError("command-failed", message, { cause: OWN_LIMIT, ...(hint === undefined ? {} : { hint }) });
}

export function isBeyondUs(error: AppError): boolean {
  return error.cause === OWN_LIMIT;
}
