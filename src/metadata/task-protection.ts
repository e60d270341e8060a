import type { Caller } from "../engine/caller.ts";
import { AppError } from "../errors.ts";
import type { Lookup } from "./lookup.ts";
import { type Tasks, taskFacts } from "./tasks.ts";

const TASKS_MAX = 1_000;
const MINUTE_MS = 60_000;

/**
 * Which tasks are protected from scale-in. A key is that of `taskKey`; undefined is the machine's one task, of those
 * that are in no other. Tasks that nobody named share the default TaskARN: it is the reference's, which clients see, and
 * each has a protection of its own all the same.
 */
interface Protections {
  /** Milliseconds of the wall's clock until which a task is protected; undefined where it is not. */
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
 * Keeps in memory what ECS keeps for a task. In ECS a task that is started anew is another one: a protection ends when
 * the engine has none of the containers any more that the task had when it was set. One that stopped, and may be started
 * again, counts. Of too many, the one that was set first is forgotten.
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
    // The machine's task may have no container, and is there all the same.
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

/** What a body asks for. A field that is `null` counts as left out. */
interface ProtectionRequest {
  readonly enabled: boolean | undefined;
  readonly minutes: bigint | undefined;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

const NULL = /[ \t\r\n]*null/y;
const OPEN = /[ \t\r\n]*\{/y;
const CLOSE = /[ \t\r\n]*\}/y;
const NAME = /[ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*")[ \t\r\n]*:/sy;
const VALUE = /[ \t\r\n]*(true|false|null|-?(?:0|[1-9][0-9]*))/y;
const NEXT = /[ \t\r\n]*([,}])/y;
/** With `u` letters fold as Go folds them: the long s is an s. */
const ENABLED = /^ProtectionEnabled$/iu;
const MINUTES = /^ExpiresInMinutes$/iu;
const SHOWN_CHARACTERS_MAX = 40;

/**
 * Reads the body of a PUT as the agent's decoder does, Go's `encoding/json` (task-endpoints 8.1; each rule was tried
 * with it): names in any case, the last of two wins, integers of 64 bits and none with a fraction or an exponent, no
 * unknown field; what follows the first value is not looked at. `JSON.parse` tells neither a doubled name nor 60.0.
 *
 * @param text of which a byte order mark was not taken away: Go refuses it
 * @returns or a sentence that says why it cannot be read, without any value of it
 */
export function decodeProtection(text: string): ProtectionRequest | string {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  const request: { enabled: boolean | undefined; minutes: bigint | undefined } = {
    enabled: undefined,
    minutes: undefined,
  };
  if (take(NULL)) return request;
  if (!take(OPEN)) return "the body is no JSON object";
  if (take(CLOSE)) return request;
  for (;;) {
    const name = decodeName(take(NAME)?.[1]);
    if (name === undefined) return `the body is no JSON behind character ${at}`;
    const value = take(VALUE)?.[1];
    const isNumber = value !== undefined && /\d/.test(value);
    if (ENABLED.test(name)) {
      if (value === undefined || isNumber) return "ProtectionEnabled is neither true nor false";
      request.enabled = value === "null" ? undefined : value === "true";
    } else if (MINUTES.test(name)) {
      const minutes = isNumber ? BigInt(value) : undefined;
      const isInt64 = minutes !== undefined && minutes >= INT64_MIN && minutes <= INT64_MAX;
      if (!isInt64 && value !== "null") return "ExpiresInMinutes is no whole number";
      request.minutes = minutes;
    } else {
      return `the field '${name.slice(0, SHOWN_CHARACTERS_MAX)}' is not known`;
    }
    const next = take(NEXT)?.[1];
    if (next === "}") return request;
    if (next === undefined) return `the value of '${name}' is followed by neither a comma nor a brace`;
  }
}

function decodeName(encoded: string | undefined): string | undefined {
  try {
    return encoded && JSON.parse(encoded);
  } catch {
    return undefined;
  }
}
