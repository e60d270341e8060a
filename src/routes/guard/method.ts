import { AppError } from "../../errors.ts";
import { readAgentPath } from "../agent-path.ts";

const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const OF_AGENT = { protection: new Set(["GET", "PUT"]), fault: new Set(["POST"]) } as const;

/** The methods that a path's route takes: credentials, metadata and what is no route are read. */
export function methodsOf(path: string): ReadonlySet<string> {
  const asked = readAgentPath(path);
  return asked === undefined ? READING : OF_AGENT[asked.kind];
}

/** Refuses a method that the path's route does not take, with `method-not-allowed`. */
export function checkMethod({ method }: Request, path: string): void {
  const methods = methodsOf(path);
  if (methods.has(method)) return;
  const those = [...methods].filter((each) => each !== "HEAD").join(" or ");
  throw new AppError("method-not-allowed", `${method} is not allowed here`, { hint: `use ${those}` });
}
