import { expect, test } from "bun:test";
import { toWire } from "../../../src/credentials/response.ts";

test("the body is the agent's, byte for byte", () => {
  const expiration = Date.UTC(2026, 0, 2, 9, 4, 5, 999);
  const wire = toWire({ accessKeyId: "ASIA1", secretAccessKey: "s/+", sessionToken: "t", expiration, roleArn: "" });
  expect(wire.body).toBe(
    '{"RoleArn":"","AccessKeyId":"ASIA1","SecretAccessKey":"s/+","Token":"t","Expiration":"2026-01-02T09:04:05Z"}',
  );
});

test("an end that RFC 3339 cannot say is said to be the last one that it can", () => {
  const credentials = { accessKeyId: "A", secretAccessKey: "S", sessionToken: "t", roleArn: "" };
  for (const year of [10_000, 58_879]) {
    const wire = toWire({ ...credentials, expiration: Date.UTC(year, 0, 1) });
    expect(wire.expiration).toBe("9999-12-31T23:59:59Z");
  }
  expect(toWire({ ...credentials, expiration: Date.UTC(9999, 11, 31, 23, 59, 58) }).expiration).toEndWith(":58Z");
});
