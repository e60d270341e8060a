import { describe, expect, test } from "bun:test";
import { parseTaskCpu, parseTaskMemory, readTask, type TaskConfig } from "../../../src/config/task.ts";

function read(env: Record<string, string>) {
  const problems: string[] = [];
  const task = readTask((name) => env[name]?.trim() || undefined, problems);
  return { task, problems };
}

const REFERENCE = {
  cluster: "ecs-local-cluster",
  taskArn: "arn:aws:ecs:us-west-2:111111111111:task/ecs-local-cluster/37e873f6-37b4-42a7-af47-eac7275c6152",
  family: "esc-local-task-definition",
  revision: "1",
};

test("what is not set is the reference's, or unknown", () => {
  expect(read({})).toEqual({ task: REFERENCE, problems: [] });
  expect(read({ CLUSTER_ARN: " ", TASK_TAGS: "" })).toEqual({ task: REFERENCE, problems: [] });
});

describe("a variable is taken as it stands:", () => {
  for (const [name, field] of [
    ["CLUSTER_ARN", "cluster"],
    ["CLUSTER", "cluster"],
    ["TASK_ARN", "taskArn"],
    ["TASK_DEFINITION_FAMILY", "family"],
    ["TASK_DEFINITION_REVISION", "revision"],
    ["AVAILABILITY_ZONE", "availabilityZone"],
    ["SERVICE_NAME", "serviceName"],
    ["VPC_ID", "vpcId"],
  ] as [string, keyof TaskConfig][]) {
    test(name, () =>
      expect(read({ [name]: " mine " })).toEqual({ task: { ...REFERENCE, [field]: "mine" }, problems: [] }),
    );
  }
  test("CLUSTER_ARN before CLUSTER", () => {
    expect(read({ CLUSTER: "b", CLUSTER_ARN: "a" }).task.cluster).toBe("a");
  });
});

describe("a word of ECS's is taken in any case:", () => {
  for (const [name, value, field, expected] of [
    ["LAUNCH_TYPE", "fargate", "launchType", "FARGATE"],
    ["LAUNCH_TYPE", "Managed_Instances", "launchType", "MANAGED_INSTANCES"],
    ["LAUNCH_TYPE", "EC2", "launchType", "EC2"],
    ["ECS_LOCAL_NETWORK_MODE", "AWSVPC", "networkMode", "awsvpc"],
    ["ECS_LOCAL_NETWORK_MODE", "none", "networkMode", "none"],
  ] as [string, string, keyof TaskConfig, string][]) {
    test(`${name}=${value}`, () =>
      expect(read({ [name]: value })).toMatchObject({ task: { [field]: expected }, problems: [] }));
  }
  for (const [name, value, words] of [
    ["LAUNCH_TYPE", "LAMBDA", "EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES"],
    ["LAUNCH_TYPE", "EC", "EC2, FARGATE"],
    ["ECS_LOCAL_NETWORK_MODE", "nat", "awsvpc, bridge, host, none, default"],
  ] as const) {
    test(`and ${name}=${value} is refused with the words`, () => {
      expect(read({ [name]: value }).problems).toEqual([
        expect.stringContaining(`${name} is '${value}', which is not one of ${words}`),
      ]);
    });
  }
});

describe("TASK_CPU", () => {
  for (const [value, vcpu] of [
    ["256", 0.25],
    ["128", 0.125],
    ["1024", 1],
    ["196608", 192],
    ["0.25", 0.25],
    [".5", 0.5],
    ["1.0", 1],
    ["1 vCPU", 1],
    [".25 vCPU", 0.25],
    ["2vcpu", 2],
    ["192 vCPU", 192],
  ] as const) {
    test(`${value} is ${vcpu} vCPU`, () => {
      expect(read({ TASK_CPU: value })).toMatchObject({ task: { cpu: vcpu }, problems: [] });
      expect(parseTaskCpu(value)).toBe(vcpu);
    });
  }
  for (const value of [
    "0",
    "1",
    "127",
    "196609",
    "0.0",
    "256.5",
    "193 vCPU",
    "256 vCPU",
    "-256",
    "1e3",
    "1,5",
    "two",
    "1 CPU",
    "1.",
  ]) {
    test(`${value} is refused with the forms`, () => {
      const { task, problems } = read({ TASK_CPU: value });
      expect(task.cpu).toBeUndefined();
      expect(problems).toEqual([
        `TASK_CPU is '${value}', which is neither CPU units of at least 128 (256) nor vCPU (0.25 or '2 vCPU')`,
      ]);
    });
  }
});

describe("TASK_MEMORY", () => {
  for (const [value, mebibytes] of [
    ["512", 512],
    ["1", 1],
    ["1 GB", 1024],
    ["0.5GB", 512],
    [".5 gb", 512],
    ["0.3 GB", 307],
  ] as const) {
    test(`${value} is ${mebibytes} MiB`, () => {
      expect(read({ TASK_MEMORY: value })).toMatchObject({ task: { memoryMiB: mebibytes }, problems: [] });
      expect(parseTaskMemory(value)).toBe(mebibytes);
    });
  }
  for (const value of ["0", "0 GB", "0.0001 GB", "512.5", "-1", "512 MB", "512m", "1e3", "99999999999999999999"]) {
    test(`${value} is refused with the forms`, () => {
      const { task, problems } = read({ TASK_MEMORY: value });
      expect(task.memoryMiB).toBeUndefined();
      expect(problems).toEqual([`TASK_MEMORY is '${value}', which is neither MiB (512) nor GB (0.5 GB)`]);
    });
  }
});

for (const [name, field] of [
  ["TASK_TAGS", "tags"],
  ["CONTAINER_INSTANCE_TAGS", "containerInstanceTags"],
] as [string, "tags" | "containerInstanceTags"][]) {
  describe(name, () => {
    for (const [value, json] of [
      ["team=shop,stage=dev", '{"team":"shop","stage":"dev"}'],
      [" team = shop , stage = dev ,", '{"team":"shop","stage":"dev"}'],
      ["a=b=c", '{"a":"b=c"}'],
      ["a=", '{"a":""}'],
      ["a:b/c=d e", '{"a:b/c":"d e"}'],
      ["__proto__=x,constructor=y", '{"__proto__":"x","constructor":"y"}'],
      ['{"team":"shop, the","a=b":"c"}', '{"team":"shop, the","a=b":"c"}'],
      ['{"__proto__":"x"}', '{"__proto__":"x"}'],
      ['[{"key":"team","value":"shop"},{"Key":"stage","Value":"dev"}]', '{"team":"shop","stage":"dev"}'],
      ['[{"key":"bare"}]', '{"bare":""}'],
      ['[{"key":"__proto__","value":"x"}]', '{"__proto__":"x"}'],
      ["{}", "{}"],
      ["[]", "{}"],
      [",", "{}"],
    ] as const) {
      test(`${value} is ${json}`, () => {
        const { task, problems } = read({ [name]: value });
        expect(JSON.stringify(task[field])).toBe(json);
        expect(problems).toEqual([]);
        expect({}).not.toHaveProperty("x");
      });
    }
    for (const [value, why] of [
      ["team", "has 'team', which is not key=value"],
      ["a=b,=c", "has '=c', which is not key=value"],
      ['"a"', `has '"a"', which is not key=value`],
      ["5", "has '5', which is not key=value"],
      ["null", "has 'null', which is not key=value"],
      ["a=1,a=2", "has the key 'a' twice"],
      ['[{"key":"a","value":"1"},{"key":"a","value":"2"}]', "has the key 'a' twice"],
      ["__proto__=1,__proto__=2", "has the key '__proto__' twice"],
      ['{"a":1}', "has the key 'a', whose value is not a string"],
      ['{"a":null}', "has the key 'a', whose value is not a string"],
      ['{"a":{"b":"c"}}', "has the key 'a', whose value is not a string"],
      ['{"":"x"}', "has a tag without a key"],
      ['["a"]', "has a tag without a key"],
      ["[null]", "has a tag without a key"],
      ['[{"value":"x"}]', "has a tag without a key"],
      ['[{"key":1,"value":"x"}]', "has a tag without a key"],
      ['{"a":"b"', "is not JSON ("],
      ["{a:b}", "is not JSON ("],
    ] as const) {
      test(`${value} is refused: ${why}`, () => {
        const { task, problems } = read({ [name]: value });
        expect(task[field]).toBeUndefined();
        expect(problems).toHaveLength(1);
        expect(problems[0]).toStartWith(`${name} ${why}`);
        expect(problems[0]).toEndWith(': give a JSON object such as {"team":"shop"}, or team=shop,stage=dev');
      });
    }
  });
}

test("every problem is told", () => {
  expect(read({ LAUNCH_TYPE: "x", TASK_CPU: "x", TASK_MEMORY: "x", TASK_TAGS: "x" }).problems).toHaveLength(4);
});
