import { AppError } from "../errors.ts";

/** Bun's own sentence for a missing socket asks about a typo in the port: what is wrong is in the code. */
export function unreachable(target: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const code = (cause as { code?: unknown }).code;
  const name = cause instanceof Error ? cause.name : "";
  const [reason, hint] =
    name === "TimeoutError"
      ? ["does not answer", "see whether the engine is healthy"]
      : code === "ENOENT"
        ? ["is not there", "start the engine, or mount its socket, or set DOCKER_HOST"]
        : code === "EACCES"
          ? ["may not be opened by this user", "add the user to the socket's group (--group-add in a container)"]
          : code === "ECONNREFUSED" || code === "FailedToOpenSocket"
            ? ["accepts no connection", "start the engine"]
            : ["broke off the connection", "see whether the engine is healthy"];
  return new AppError("engine-unavailable", `The engine at ${target} ${reason}`, { hint, cause });
}

/** What the engine did not tell of some container is, to who asks, an engine that does not answer. */
export function untold(failure: AppError): AppError {
  const { publicMessage, hint } = failure;
  return new AppError("engine-unavailable", publicMessage, { ...(hint !== undefined && { hint }), cause: failure });
}
