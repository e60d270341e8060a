import { describe, expect, test } from "bun:test";
import { containerArnOf, zoneOf } from "../../../src/metadata/arn.ts";

const ID = "4f0c9d2e0123456789abcdef0123456789abcdef0123456789abcdef01234567";
const UUID = "4f0c9d2e-0123-4567-89ab-cdef01234567";

describe("a container's ARN", () => {
  for (const [title, task, cluster, expected] of [
    [
      "has the cluster of the task's ARN",
      "arn:aws:ecs:us-west-2:1:task/dev/t1",
      "other",
      "arn:aws:ecs:us-west-2:1:container/dev/t1",
    ],
    [
      "has the cluster's name in the short form",
      "arn:aws:ecs:us-west-2:1:task/t1",
      "dev",
      "arn:aws:ecs:us-west-2:1:container/dev/t1",
    ],
    [
      "has the name of the cluster's ARN",
      "arn:aws:ecs:us-west-2:1:task/t1",
      "arn:aws:ecs:us-west-2:1:cluster/dev",
      "arn:aws:ecs:us-west-2:1:container/dev/t1",
    ],
    [
      "keeps the partition",
      "arn:aws-cn:ecs:cn-north-1:1:task/dev/t1",
      "dev",
      "arn:aws-cn:ecs:cn-north-1:1:container/dev/t1",
    ],
  ] as const) {
    test(title, () => expect(containerArnOf(task, cluster, ID)).toBe(`${expected}/${UUID}`));
  }
  for (const arn of [
    "",
    "t",
    "arn:aws:ecs:us-west-2:1:task/",
    "arn:aws:ecs:us-west-2:1:task/c/",
    "arn:aws:ecs::1:task/t",
    "arn:aws:s3:us-west-2:1:task/t",
  ]) {
    test(`is none where '${arn}' is not a task's`, () => {
      expect([containerArnOf(arn, "c", ID), zoneOf(arn)]).toEqual([undefined, undefined]);
    });
  }
});

test("the zone is the first of the task's region", () => {
  expect(zoneOf("arn:aws:ecs:ap-southeast-2:1:task/dev/t1")).toBe("ap-southeast-2a");
});
