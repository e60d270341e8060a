import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Caller } from "../engine/caller.ts";
import { AppError } from "../errors.ts";
import type { Lookup } from "./lookup.ts";
import { type Tasks, taskFacts } from "./tasks.ts";

const TASKS_MAX = 1_000;
const MINUTE_MS = 60_000;

/** Which tasks are protected from scale-in, by the key of `taskKey`: undefined is the task of the ungrouped containers. */
interface Protections {
  /** Milliseconds of the wall's clock until which a task is protected; undefined if it is not. */
  readonly until: (key: string | undefined) => number | undefined;
  /** Protects a task from now on, whatever was left of an earlier protection: ECS resets, and never adds. */
  readonly protect: (key: string | undefined, minutes: number) => void;
  readonly release: (key: string | undefined) => void;
}

interface Protection {
  readonly untilMs: number;
  readonly ids: readonly string[];
}

/**
 * Keeps protections in memory. A task that is started anew is another one in ECS: a protection ends when the engine has
 * removed all the containers that the task had when it was set. Of too many, the oldest is dropped.
 *
 * @param deps.now milliseconds of the wall's clock
 * @param deps.idsOf the ids of a task's containers, those that stopped too
 * @param deps.isPresent whether the engine has a container of that id, running or not
 */
export function createProtections(deps: {
  readonly now: () => number;
  readonly idsOf: (key: string | undefined) => readonly string[];
  readonly isPresent: (id: string) => boolean;
}): Protections {
  const { now } = deps;
  const tasks = new Map<string | undefined, Protection>();

  function until(key: string | undefined): number | undefined {
    const known = tasks.get(key);
    if (known === undefined) return undefined;
    // The task of ungrouped containers exists without containers, too.
    const isSameTask = known.ids.length === 0 || known.ids.some(deps.isPresent);
    if (isSameTask && now() < known.untilMs) return known.untilMs;
    tasks.delete(key);
    return undefined;
  }

  return {
    until,
    protect(key, minutes) {
      tasks.delete(key);
      if (tasks.size >= TASKS_MAX) for (const each of [...tasks.keys()]) until(each);
      if (tasks.size >= TASKS_MAX) tasks.delete([...tasks.keys()][0]);
      tasks.set(key, { untilMs: now() + minutes * MINUTE_MS, ids: deps.idsOf(key) });
    },
    release: (key) => void tasks.delete(key),
  };
}

/** The limits and the default of ECS (task-endpoints 8.1). */
const MINUTES_MIN = 1;
const MINUTES_MAX = 2_880;
const MINUTES_DEFAULT = 120;

/** Which task is asked about. An undefined identifier means the caller's. */
interface AgentQuestion {
  readonly identifier: string | undefined;
  readonly caller: Caller;
}

/**
 * What the agent serves at `ECS_AGENT_URI`. JSON text now if it is at hand, else a promise of it; throws and rejects
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

  function set(key: string | undefined, request: ProtectionRequest): string {
    const { ProtectionEnabled: enabled, ExpiresInMinutes: minutes } = request;
    if (enabled == null) throw invalid("Invalid request: does not contain 'ProtectionEnabled' field", key);
    if (!enabled) {
      protections.release(key);
      return stateOf(key);
    }
    if (minutes != null && (minutes < MINUTES_MIN || minutes > MINUTES_MAX)) {
      const text = `ExpiresInMinutes is ${minutes}, and must be between ${MINUTES_MIN} and ${MINUTES_MAX}`;
      throw invalid(text, key);
    }
    protections.protect(key, minutes ?? MINUTES_DEFAULT);
    return stateOf(key);
  }

  const invalid = (text: string, key: string | undefined) => new AppError("bad-request", text, { taskArn: arnOf(key) });

  return {
    protection: (question) =>
      lookup({ ...question, example: protectionExample }, (subject) => stateOf(subject.taskKey())),
    protect(question, body) {
      // As in the agent, before the task is looked up.
      const request = parseProtection(body);
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

const ProtectionSchema = Type.Object(
  {
    ProtectionEnabled: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    ExpiresInMinutes: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  },
  { additionalProperties: false },
);
type ProtectionRequest = Static<typeof ProtectionSchema>;

/**
 * Reads the body of a PUT. As in the agent, unknown fields are refused and `null` counts as left out.
 *
 * @param text with its byte order mark, which is refused
 * @throws AppError `bad-request`, with a reason for the log that quotes no value
 */
function parseProtection(text: string): ProtectionRequest {
  const bad = (cause: string) =>
    new AppError("bad-request", "UpdateTaskProtection: failed to decode request", { cause });
  let value: unknown;
  try {
    value = JSON.parse(text) ?? {};
  } catch {
    throw bad("the body is not JSON");
  }
  const fault = Value.Errors(ProtectionSchema, value).First();
  if (fault) throw bad(`${fault.path || "the body"}: ${fault.message}`);
  return value as ProtectionRequest;
}
