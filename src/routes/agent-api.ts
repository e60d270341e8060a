import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { AgentApi } from "../metadata/task-protection.ts";
import type { Answer, Handler, Route } from "./handler.ts";
import { JSON_OK, unknownRoute } from "./http-error.ts";
import { readAgentPath } from "./path.ts";

const SHOWN_CHARACTERS_MAX = 256;

/** Task protection and faults: what the agent serves at `ECS_AGENT_URI`. Their methods are the guard's to check. */
export function agentApiRoutes(api: AgentApi, log: Log, handler: (answer: Answer) => Handler): readonly Route[] {
  const answer: Answer = (path, caller, request) => {
    const asked = readAgentPath(path);
    if (asked === undefined) throw unknownRoute(path);
    const identifier = asked.identifier && decodeURIComponent(asked.identifier);
    const question = { identifier, caller };
    if (request.method === "GET") {
      const state = api.protection(question);
      return typeof state === "string" ? toJson(state) : state.then(toJson);
    }
    return change(path, request, (body) => (asked.kind === "fault" ? api.fault : api.protect)(question, body));
  };

  async function change(path: string, request: Request, make: (body: string) => string | Promise<string>) {
    const body = await readBody(request);
    try {
      return toJson(await make(body));
    } catch (error) {
      // The agent's own words say only that it cannot be read.
      if (error instanceof AppError && typeof error.cause === "string") {
        log.warning("a request's body was refused", { path: path.slice(0, SHOWN_CHARACTERS_MAX), cause: error.cause });
      }
      throw error;
    }
  }

  return [["/api/*", handler(answer)]];
}

function toJson(body: string): Response {
  return new Response(body, JSON_OK);
}

/** The agent's time to read a request in. */
const READ_WITHIN_MS = 5_000;

/**
 * The text of a request's body, with its byte order mark if there is one. One that does not arrive within 5 s, or not
 * whole, is an empty one, which no route takes. Bun.serve refuses what is too long.
 *
 * @param withinMs milliseconds
 */
export async function readBody(request: Request, withinMs = READ_WITHIN_MS): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, withinMs, "");
  });
  const whole = request.arrayBuffer().then(
    (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
    () => "",
  );
  return Promise.race([whole, late]).finally(() => clearTimeout(timer));
}
