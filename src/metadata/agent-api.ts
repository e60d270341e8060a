import { AppError } from "../errors.ts";
import type { Lookup } from "./lookup.ts";
import { decodeProtection, type ProtectionRequest } from "./protection-request.ts";
import { taskFacts } from "./task-facts.ts";
import type { Protections } from "./task-protection.ts";
import type { Tasks } from "./tasks.ts";

/** The limits and the default of ECS (task-endpoints 8.1). */
const MINUTES_MIN = 1;
const MINUTES_MAX = 2_880;
const MINUTES_DEFAULT = 120;

/** Which task is asked about. An undefined identifier means the caller's. */
interface AgentQuestion {
  readonly identifier: string | undefined;
  readonly address: string;
}

/**
 * What the agent serves at `ECS_AGENT_URI`. JSON text now where it is at hand, else a promise of it; throws and rejects
 * with AppError, `bad-request` for a body that cannot be used.
 */
export interface AgentApi {
  readonly protection: (question: AgentQuestion) => string | Promise<string>;
  readonly protect: (question: AgentQuestion, body: string) => string | Promise<string>;
  /** A start, stop or status of a fault. No task has them enabled, as `FaultInjectionEnabled` says. */
  readonly fault: (question: AgentQuestion, body: string) => string | Promise<string>;
}

const protectionExample = (name: string) => `/api/${name}/task-protection/v1/state`;
const faultExample = (name: string) => `/api/${name}/fault/v1/...`;

export function createAgentApi(deps: {
  readonly lookup: Lookup;
  readonly tasks: Pick<Tasks, "body">;
  readonly protections: Protections;
}): AgentApi {
  const { lookup, protections } = deps;
  const arnOf = (key: string | undefined) => taskFacts(deps.tasks, key).TaskARN;

  /** The keys are in the agent's order; the date is always there, without a fraction (task-endpoints 8.2). */
  function stateOf(key: string | undefined): string {
    const untilMs = protections.until(key);
    const ExpirationDate = untilMs === undefined ? null : new Date(untilMs).toISOString().replace(/\.\d+Z$/, "Z");
    return JSON.stringify({
      protection: { ExpirationDate, ProtectionEnabled: untilMs !== undefined, TaskArn: arnOf(key) },
    });
  }

  function set(key: string | undefined, { enabled, minutes }: ProtectionRequest): string {
    if (enabled === undefined) throw invalid("Invalid request: does not contain 'ProtectionEnabled' field", key);
    if (!enabled) {
      protections.release(key);
      return stateOf(key);
    }
    if (minutes !== undefined && (minutes < MINUTES_MIN || minutes > MINUTES_MAX)) {
      const text = `ExpiresInMinutes is ${minutes}, and must be between ${MINUTES_MIN} and ${MINUTES_MAX}`;
      throw invalid(text, key);
    }
    protections.protect(key, minutes === undefined ? MINUTES_DEFAULT : Number(minutes));
    return stateOf(key);
  }

  const invalid = (text: string, key: string | undefined) => new AppError("bad-request", text, { taskArn: arnOf(key) });

  return {
    protection: (question) =>
      lookup({ ...question, example: protectionExample }, (subject) => stateOf(subject.taskKey())),
    protect(question, body) {
      // As in the agent, before the task is looked up.
      const request = decodeProtection(body);
      if (typeof request === "string") {
        throw new AppError("bad-request", "UpdateTaskProtection: failed to decode request", { cause: request });
      }
      return lookup({ ...question, example: protectionExample, changes: true }, (subject) =>
        set(subject.taskKey(), request),
      );
    },
    fault(question, body) {
      if (/^[ \t\r\n]*$/.test(body)) throw new AppError("bad-request", "required request body is missing");
      return lookup({ ...question, example: faultExample }, (subject): string => {
        const taskArn = arnOf(subject.taskKey());
        throw new AppError("bad-request", `enableFaultInjection is not enabled for task: ${taskArn}`, { taskArn });
      });
    },
  };
}
