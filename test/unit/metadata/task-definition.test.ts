import { afterAll, describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { readTaskDefinition } from "../../../src/metadata/task-definition.ts";
import { folder } from "../../support/folder.ts";
import { secret } from "../../support/secrets.ts";

const files = folder("task-definition");
afterAll(files.remove);

const path = files.write("shop.json", "{}");
const web = { name: "web" };
const plain = { family: "shop", containerDefinitions: [web] };
const read = (value: unknown, checkRole?: (role: string) => void) => {
  files.write("shop.json", value);
  return readTaskDefinition("ECS_LOCAL_TASK_DEFINITION", path, checkRole);
};

/** The error with which a value is refused. */
function refusal(value: unknown): AppError {
  try {
    read(value);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("it was not refused");
}

describe("a task definition", () => {
  test("of no more than it must say", () => {
    expect(read(plain)).toEqual({
      path,
      family: "shop",
      revision: undefined,
      cpu: undefined,
      memoryMiB: undefined,
      isFargate: false,
      isAwsvpc: false,
      taskRole: undefined,
      containers: new Map([
        [
          "web",
          {
            name: "web",
            cpu: undefined,
            memoryMiB: undefined,
            essential: true,
            log: undefined,
            hasHealthCheck: false,
            restarts: false,
            dockerLabels: {},
          },
        ],
      ]),
    });
  });

  const full = {
    family: "shop",
    cpu: "256",
    memory: "0.5 GB",
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    taskRoleArn: "arn:aws:iam::111122223333:role/shop",
    executionRoleArn: "arn:aws:iam::111122223333:role/exec",
    containerDefinitions: [
      {
        name: "web",
        image: "shop/web:1.4",
        cpu: 128,
        memory: 256,
        memoryReservation: 64,
        essential: false,
        logConfiguration: {
          logDriver: "awslogs",
          options: { "awslogs-group": "/ecs/shop" },
          secretOptions: [{ name: "splunk-token", valueFrom: "arn:aws:ssm:x" }],
        },
        healthCheck: { command: ["CMD", "true"] },
        restartPolicy: { enabled: true },
        dockerLabels: { team: "a" },
      },
    ],
  };
  const expected = {
    family: "shop",
    cpu: 0.25,
    memoryMiB: 512,
    isFargate: true,
    isAwsvpc: true,
    taskRole: "arn:aws:iam::111122223333:role/shop",
  };
  test("as register-task-definition takes it", () => {
    const definition = read(full);
    expect(definition).toMatchObject({ ...expected, revision: undefined });
    expect(definition.containers.get("web")).toEqual({
      name: "web",
      cpu: 128,
      memoryMiB: 256,
      essential: false,
      log: { driver: "awslogs", options: { "awslogs-group": "/ecs/shop" } },
      hasHealthCheck: true,
      restarts: true,
      dockerLabels: { team: "a" },
    });
  });
  test("as describe-task-definition gives it", () => {
    const described = { ...full, revision: 7, status: "ACTIVE", compatibilities: ["EC2", "FARGATE"] };
    expect(read({ taskDefinition: described, tags: [] })).toMatchObject({ ...expected, revision: "7" });
  });
  test("takes what generators write for what is not set as not given", () => {
    const container = { name: "web", cpu: 0, memory: 0, logConfiguration: null, healthCheck: { command: ["NONE"] } };
    const empty = {
      cpu: "",
      memory: "",
      taskRoleArn: "",
      networkMode: "",
      requiresCompatibilities: [],
      revision: null,
    };
    const definition = read({ family: "shop", ...empty, containerDefinitions: [container] });
    expect(definition).toMatchObject({ cpu: undefined, memoryMiB: undefined, taskRole: undefined, isFargate: false });
    expect(definition.containers.get("web")).toMatchObject({
      cpu: undefined,
      memoryMiB: undefined,
      log: undefined,
      hasHealthCheck: false,
    });
  });
  for (const [types, isFargate] of [
    [["FARGATE"], true],
    [["EC2", "FARGATE"], false],
    [["EC2"], false],
    [[], false],
  ] as const) {
    test(`for ${types.join(" and ") || "nothing"} is ${isFargate ? "" : "not "}of Fargate alone`, () => {
      expect(read({ ...plain, requiresCompatibilities: types }).isFargate).toBe(isFargate);
    });
  }
});

describe("a wrong task definition is refused with the place and the reason:", () => {
  const containers = (...containerDefinitions: unknown[]) => ({ family: "shop", containerDefinitions });
  for (const [value, ...problems] of [
    ["{", "which is not JSON: "],
    ["[]", "which is not a JSON object"],
    [{ containerDefinitions: [web] }, "in which family is missing"],
    [{ family: "shop" }, "in which containerDefinitions is missing"],
    [containers(), "in which containerDefinitions is not a list of one container or more"],
    [containers("web"), 'in which containerDefinitions[0] is "web", which is not an object with a name'],
    [containers(web, {}), "in which containerDefinitions[1].name is missing"],
    [
      containers(web, web),
      "in which containerDefinitions[1].name is 'web', which is that of containerDefinitions[0] too",
    ],
    [containers({ name: "a b" }), 'in which containerDefinitions[0].name is "a b", which is not a name of up to 255'],
    [
      containers(web, { name: "db", memory: "512" }),
      'in which containerDefinitions[1].memory is "512", which is not a whole number of MiB',
    ],
    [
      containers({ ...web, cpu: 0.25 }),
      "in which containerDefinitions[0].cpu is 0.25, which is not a whole number of CPU",
    ],
    [containers({ ...web, cpu: -1 }), "in which containerDefinitions[0].cpu is -1, which is not"],
    [
      containers({ ...web, essential: "no" }),
      'in which containerDefinitions[0].essential is "no", which is not true or',
    ],
    [
      containers({ ...web, logConfiguration: { options: {} } }),
      "in which containerDefinitions[0].logConfiguration.logDriver is missing",
    ],
    [
      containers({ ...web, dockerLabels: { "a/b": 1 } }),
      "in which containerDefinitions[0].dockerLabels.a/b is not a text",
    ],
    [{ ...plain, family: 7 }, "in which family is 7, which is not a name of up to 255 letters"],
    [{ ...plain, revision: "7" }, 'in which revision is "7", which is not a whole number from 1'],
    [{ ...plain, cpu: 256 }, "in which cpu is 256, which is not a text"],
    [{ ...plain, cpu: "1" }, "in which cpu is '1', which is neither CPU units of at least 128"],
    [{ ...plain, memory: "lots" }, "in which memory is 'lots', which is neither MiB"],
    [{ ...plain, networkMode: "nat" }, 'in which networkMode is "nat", which is not awsvpc, bridge'],
    [
      { ...plain, requiresCompatibilities: ["LAMBDA"] },
      'in which requiresCompatibilities[0] is "LAMBDA", which is not EC2, FARGATE',
    ],
    [
      { taskDefinition: { family: "shop", cpu: "1", memory: "x", containerDefinitions: [web] } },
      "in which taskDefinition.cpu is '1'",
      "in which taskDefinition.memory is 'x'",
    ],
    [containers({ ...web, cpu: "1", memory: "2" }), "[0].cpu is", "[0].memory is"],
  ] as [unknown, ...string[]][]) {
    test(problems.join(", and "), () => {
      const error = refusal(value);
      expect(error.code).toBe("bad-configuration");
      const lines = error.publicMessage.split("\n");
      expect(lines).toHaveLength(problems.length);
      for (const [index, problem] of problems.entries()) {
        expect(lines[index]).toStartWith(`ECS_LOCAL_TASK_DEFINITION is '${path}', `);
        expect(lines[index]).toContain(problem);
      }
    });
  }

  test("what a log driver or the environment is given is in no message", () => {
    const value = secret("hidden5ecretOption");
    for (const wrong of [
      { name: "web", logConfiguration: { logDriver: "splunk", options: { [value]: 1, "splunk-token": [value] } } },
      { name: "web", cpu: "1", environment: [{ name: "KEY", value }] },
    ]) {
      const text = refusal(containers(wrong)).message.replace(`options.${value}`, "");
      expect(text).toContain("containerDefinitions[0]");
      expect(text).not.toContain(value);
    }
  });
});

describe("taskRoleArn", () => {
  const check = (role: string) => {
    if (role !== "good") throw new AppError("bad-role", `"${role}" is not a role: a rule`);
  };
  test("is held to the rules of roles where it is used", () => {
    expect(read({ ...plain, taskRoleArn: "good" }, check).taskRole).toBe("good");
    expect(() => read({ ...plain, taskRoleArn: "a b" }, check)).toThrow(
      /taskRoleArn is not a role: "a b" is not a role/,
    );
  });
  test("may be anything if it is not used", () => {
    expect(read({ ...plain, taskRoleArn: "arn:aws:iam::<account>:role/x" }).taskRole).toBeString();
  });
});
