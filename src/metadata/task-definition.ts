import { type Static, Type } from "@sinclair/typebox";
import { Value, type ValueError } from "@sinclair/typebox/value";
import { isObject, readJsonObject } from "../config/json-file.ts";
import { CPU_FORMS, MEMORY_FORMS, parseTaskCpu, parseTaskMemory } from "../config/task.ts";
import { AppError } from "../errors.ts";

export interface ContainerDefinition {
  readonly name: string;
  /** CPU units, 1024 to a vCPU. */
  readonly cpu: number | undefined;
  /** The hard limit: the agent shows 0 where there is only a reservation, and so do we what the engine says. */
  readonly memoryMiB: number | undefined;
  readonly essential: boolean;
  /** As it was registered: with `awslogs-stream-prefix`, and without its secretOptions. */
  readonly log: { readonly driver: string; readonly options: Readonly<Record<string, string>> } | undefined;
  readonly hasHealthCheck: boolean;
  readonly restarts: boolean;
  readonly dockerLabels: Readonly<Record<string, string>>;
}

/** What a file of ECS_LOCAL_TASK_DEFINITION says. It is replaced and never changed. */
export interface TaskDefinition {
  readonly path: string;
  readonly family: string;
  /** Undefined if it is not registered yet. */
  readonly revision: string | undefined;
  /** In vCPU. */
  readonly cpu: number | undefined;
  readonly memoryMiB: number | undefined;
  /** Where it runs on Fargate alone. */
  readonly isFargate: boolean;
  readonly isAwsvpc: boolean;
  /** An ARN, or in a file that is not registered yet perhaps a bare name. */
  readonly taskRole: string | undefined;
  readonly containers: ReadonlyMap<string, ContainerDefinition>;
}

/**
 * Reads a task definition in the form that `register-task-definition` takes or that `describe-task-definition` gives.
 *
 * @param checkRole throws AppError for a `taskRoleArn` that is not a role; not called if the role is not used
 * @throws AppError `bad-configuration` with the variable, the path, the place and the reason of every problem
 */
export function readTaskDefinition(
  variable: string,
  path: string,
  checkRole: (role: string) => void = () => {},
): TaskDefinition {
  const document = readJsonObject(variable, path);
  const isDescribed = isObject(document.taskDefinition);
  // Generators write null for what is not set.
  const value = JSON.parse(JSON.stringify(isDescribed ? document.taskDefinition : document), (_, v) => v ?? undefined);
  const problems: string[] = [];
  if (Value.Check(DefinitionSchema, value)) {
    findProblems(value, checkRole, problems);
    if (problems.length === 0) return toDefinition(path, value);
  } else problems.push(...schemaProblems(value));
  const place = isDescribed ? "taskDefinition." : "";
  const lines = problems.map((problem) => `${variable} is '${path}', in which ${place}${problem}`);
  throw new AppError("bad-configuration", lines.join("\n"));
}

function findProblems(value: Registered, checkRole: (role: string) => void, problems: string[]): void {
  const { cpu, memory, taskRoleArn, containerDefinitions } = value;
  if (cpu && parseTaskCpu(cpu) === undefined) problems.push(`cpu is '${cpu}', which is neither ${CPU_FORMS}`);
  if (memory && parseTaskMemory(memory) === undefined)
    problems.push(`memory is '${memory}', which is neither ${MEMORY_FORMS}`);
  const places = new Map<string, number>();
  for (const [index, { name }] of containerDefinitions.entries()) {
    const before = places.get(name);
    if (before === undefined) places.set(name, index);
    else
      problems.push(
        `containerDefinitions[${index}].name is '${name}', which is that of containerDefinitions[${before}] too`,
      );
  }
  try {
    if (taskRoleArn) checkRole(taskRoleArn);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    problems.push(`taskRoleArn is not a role: ${error.publicMessage}`);
  }
}

function toDefinition(path: string, value: Registered): TaskDefinition {
  const { family, revision, cpu, memory, requiresCompatibilities: launchTypes = [] } = value;
  return {
    path,
    family,
    revision: revision?.toString(),
    cpu: cpu ? parseTaskCpu(cpu) : undefined,
    memoryMiB: memory ? parseTaskMemory(memory) : undefined,
    isFargate: launchTypes.length > 0 && launchTypes.every((type) => type === "FARGATE"),
    isAwsvpc: value.networkMode === "awsvpc",
    taskRole: value.taskRoleArn || undefined,
    containers: new Map(value.containerDefinitions.map((container) => [container.name, toContainer(container)])),
  };
}

function toContainer(value: Registered["containerDefinitions"][number]): ContainerDefinition {
  const { logConfiguration: log, healthCheck: check } = value;
  return {
    name: value.name,
    // ECS writes 0 for what was not given.
    cpu: value.cpu || undefined,
    memoryMiB: value.memory || undefined,
    essential: value.essential ?? true,
    log: log && { driver: log.logDriver, options: log.options ?? {} },
    hasHealthCheck: check !== undefined && check.command?.[0] !== "NONE",
    restarts: value.restartPolicy?.enabled ?? false,
    dockerLabels: value.dockerLabels ?? {},
  };
}

// Only what we read is named. Each description completes "which is not".
const flag = (description = "true or false") => Type.Optional(Type.Boolean({ description }));
const size = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }));
const text = (pattern: string, description: string) => Type.String({ pattern, description });
const texts = Type.Record(Type.String(), Type.String({ description: "a text" }), { description: "an object of texts" });

const ContainerSchema = Type.Object(
  {
    name: text("^[\\w-]{1,255}$", "a name of up to 255 letters, digits, - and _"),
    cpu: size("a whole number of CPU units, 1024 to a vCPU"),
    memory: size("a whole number of MiB"),
    essential: flag(),
    logConfiguration: Type.Optional(
      Type.Object(
        {
          logDriver: Type.String({ minLength: 1, description: "the name of a log driver" }),
          options: Type.Optional(texts),
        },
        { description: "an object with a logDriver" },
      ),
    ),
    healthCheck: Type.Optional(
      Type.Object(
        {
          command: Type.Optional(
            Type.Array(Type.String({ description: "a text" }), { description: "a list of texts" }),
          ),
        },
        { description: "an object with a command" },
      ),
    ),
    restartPolicy: Type.Optional(Type.Object({ enabled: flag() }, { description: "an object with enabled" })),
    dockerLabels: Type.Optional(texts),
  },
  { description: "an object with a name" },
);

const LAUNCH_TYPES = "^(EC2|FARGATE|EXTERNAL|MANAGED_INSTANCES)$";
const DefinitionSchema = Type.Object({
  family: text("^[\\w-]{1,255}$", "a name of up to 255 letters, digits, - and _"),
  revision: Type.Optional(Type.Integer({ minimum: 1, description: "a whole number from 1" })),
  cpu: Type.Optional(Type.String({ description: "a text, as ECS has it of a task" })),
  memory: Type.Optional(Type.String({ description: "a text, as ECS has it of a task" })),
  networkMode: Type.Optional(text("^(awsvpc|bridge|host|none|default)?$", "awsvpc, bridge, host, none or default")),
  requiresCompatibilities: Type.Optional(
    Type.Array(text(LAUNCH_TYPES, "EC2, FARGATE, EXTERNAL or MANAGED_INSTANCES"), { description: "a list" }),
  ),
  taskRoleArn: Type.Optional(Type.String({ description: "a text" })),
  containerDefinitions: Type.Array(ContainerSchema, { minItems: 1, description: "a list of one container or more" }),
});
/** A task definition in ECS's words, as far as we read it. */
type Registered = Static<typeof DefinitionSchema>;

/** The first problem of each place, in the order of the schema. */
function schemaProblems(value: unknown): string[] {
  const found = new Map<string, ValueError>();
  for (const error of Value.Errors(DefinitionSchema, value)) if (!found.has(error.path)) found.set(error.path, error);
  return [...found].map(([pointer, { value: wrong, schema }]) => {
    const place = placeOf(pointer);
    if (wrong === undefined) return `${place} is missing`;
    // What a log driver or a label is given may be a secret.
    const isShown = typeof wrong !== "object" && !/\.(options|dockerLabels)\b/.test(place);
    return `${place} is ${isShown ? `${JSON.stringify(wrong)}, which is ` : ""}not ${schema.description}`;
  });
}

/** `/containerDefinitions/1/memory` as `containerDefinitions[1].memory`. */
function placeOf(pointer: string): string {
  const steps = pointer.slice(1).split("/");
  return steps
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step.replaceAll("~1", "/").replaceAll("~0", "~")}`))
    .join("")
    .slice(1);
}
