import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { AgentApi } from "../metadata/agent-api.ts";
import { readAgentPath } from "./agent-path.ts";
import { readBody } from "./body.ts";
import type { Answer, Handler, Route } from "./handler.ts";
import { JSON_OK, unknownRoute } from "./http-error.ts";

const SHOWN_CHARACTERS_MAX = 256;

/** Task protection and faults: what the agent serves at `ECS_AGENT_URI`. Their methods are the guard's to check. */
export function agentApiRoutes(api: AgentApi, log: Log, handler: (answer: Answer) => Handler): readonly Route[] {
  const answer: Answer = (path, address, request) => {
    const asked = readAgentPath(path);
    if (asked === undefined) throw unknownRoute(path);
    const identifier = asked.identifier && decodeURIComponent(asked.identifier);
    const question = { identifier, address };
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
