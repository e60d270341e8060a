import { AppError } from "../../errors.ts";

const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** Credentials and metadata are read. A route that takes another method is told apart here by its path. */
function methodsOf(_path: string): ReadonlySet<string> {
  return READING;
}

/** Refuses a method that the path's route does not take, with `method-not-allowed`. */
export function checkMethod({ method }: Request, path: string): void {
  if (methodsOf(path).has(method)) return;
  throw new AppError("method-not-allowed", `${method} is not allowed here`, { hint: "use GET" });
}
