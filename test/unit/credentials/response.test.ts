import { expect, test } from "bun:test";
import { toWire } from "../../../src/credentials/response.ts";

test("the body is the agent's, byte for byte", () => {
  const expiration = Date.UTC(2026, 0, 2, 9, 4, 5, 999);
  const wire = toWire({ accessKeyId: "ASIA1", secretAccessKey: "s/+", sessionToken: "t", expiration, roleArn: "" });
  expect(wire.body).toBe(
    '{"RoleArn":"","AccessKeyId":"ASIA1","SecretAccessKey":"s/+","Token":"t","Expiration":"2026-01-02T09:04:05Z"}',
  );
});
