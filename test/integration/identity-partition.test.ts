import { afterEach, describe, expect, test } from "bun:test";
import { createOnlineSource } from "../../src/aws/lazy-source.ts";
import { parseConfig } from "../../src/config/config.ts";
import { endAll, KEYS, online, startFake } from "../support/credential-server.ts";

afterEach(endAll);

describe("the ARN of a role that is named", () => {
  for (const partition of ["aws", "aws-cn", "aws-us-gov"]) {
    for (const name of ["app", "team/app"]) {
      test(`has the partition of the identity: ${partition}, ${name}`, async () => {
        const aws = startFake();
        aws.partition = partition;
        const { body } = await online(aws, KEYS).get(`/role/${name}`);
        expect(body.RoleArn).toBe(`arn:${partition}:iam::111122223333:role/${name}`);
      });
    }
  }
});

test("who the server is and the account of a role are one GetCallerIdentity, whoever asks first", async () => {
  const aws = startFake();
  const config = parseConfig({ AWS_ENDPOINT_URL: aws.url }).aws;
  const source = createOnlineSource({ config, env: KEYS, now: Date.now });
  const role = { kind: "name", id: "app", name: "app", path: undefined } as const;
  const [who] = await Promise.all([source.whoami(), source.assume(role, "s"), source.session()]);
  await source.whoami();
  expect(who).toMatchObject({ origin: "the keys of the environment", arn: "arn:aws:iam::111122223333:user/dev" });
  expect(aws.calls).toEqual({ GetCallerIdentity: 1, AssumeRole: 1, GetSessionToken: 1 });
});
