import { type Static, Type } from "@sinclair/typebox";
import { Value, type ValueError } from "@sinclair/typebox/value";

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
export const DefinitionSchema = Type.Object({
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
export type Registered = Static<typeof DefinitionSchema>;

/** What is wrong with a value that is no task definition: the first problem of each place, in the order of the schema. */
export function schemaProblems(value: unknown): string[] {
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
