import { afterEach, expect, test } from "bun:test";
import { askSkewMs } from "../../../src/aws/clock-skew.ts";
import { type FakeAws, startFakeAws } from "../../support/fake-aws.ts";

let aws: FakeAws;
afterEach(() => aws.stop());

const ask = (deadlineMs = 2_000) => askSkewMs({ stsEndpoint: aws.url, region: undefined }, {}, Date.now, deadlineMs);

for (const minutes of [0, 10, -10]) {
  test(`a clock of AWS that is ${minutes} minutes ahead is told, whatever STS says of the request`, async () => {
    aws = startFakeAws();
    aws.clockMs = minutes * 60_000;
    expect(Math.abs(((await ask()) ?? Number.NaN) - aws.clockMs)).toBeLessThan(1_500);
    expect(aws.requests.map(({ authorization }) => authorization)).toEqual([""]);
  });
}

test("an STS that does not answer in time is an error that says so", async () => {
  aws = startFakeAws();
  aws.delayMs = 500;
  await expect(ask(100)).rejects.toMatchObject({
    code: "upstream-unavailable",
    message: expect.stringContaining("STS"),
  });
});
