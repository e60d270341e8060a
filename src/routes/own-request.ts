import { AppError } from "../errors.ts";
import { isOwn } from "../own-request.ts";

/**
 * Refuses a request that we sent ourselves: it asks for the credentials that are needed to answer it (design section 6).
 *
 * @throws AppError `own-request`
 */
export function refuseOwnRequest(request: Request): void {
  if (!isOwn(request.url)) return;
  throw new AppError("own-request", "the server was pointed at itself for its own credentials", {
    hint: "unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI for the server: they are for the applications",
  });
}
