import { describe, expect, test } from "bun:test";
import { parseConfig } from "../../../src/config/config.ts";
import { misnamedEndpoints, unknownVariables } from "../../../src/config/unknown-variables.ts";
import { withoutUserinfo } from "../../../src/text.ts";

test("the defaults are the reference's", () => {
  const config = parseConfig({});
  expect([config.port, config.bindAddress, config.offline]).toEqual([80, "127.0.0.1", false]);
  expect(config.task).toEqual({
    cluster: "ecs-local-cluster",
    taskArn: "arn:aws:ecs:us-west-2:111111111111:task/ecs-local-cluster/37e873f6-37b4-42a7-af47-eac7275c6152",
    family: "esc-local-task-definition",
    revision: "1",
  });
  expect(config.aws.sharedTokenExpirationSeconds).toBe(750);
});

describe("SHARED_TOKEN_EXPIRATION", () => {
  for (const [value, seconds] of [
    ["900", 900],
    ["15m", 900],
    ["1h0m30s", 3630],
  ] as const) {
    test(`${value} is ${seconds} s`, () => {
      expect(parseConfig({ SHARED_TOKEN_EXPIRATION: value }).aws.sharedTokenExpirationSeconds).toBe(seconds);
    });
  }
});

describe("a bad value is named", () => {
  for (const [name, value] of [
    ["ECS_LOCAL_METADATA_PORT", "99999"],
    ["ECS_LOCAL_METADATA_PORT", "0"],
    ["ECS_LOCAL_OFFLINE", "maybe"],
    ["ECS_LOCAL_LOG_LEVEL", "loud"],
    ["DOCKER_API_VERSION", "new"],
    ["STS_ENDPOINT", "localhost:4566"],
    ["SHARED_TOKEN_EXPIRATION", "soon"],
    ["DOCKER_HOST", "ssh://box"],
    ["DOCKER_HOST", "unix://"],
    ["ECS_LOCAL_SESSION_DURATION", "899"],
    ["ECS_LOCAL_SESSION_DURATION", "43201"],
    ["ECS_LOCAL_SESSION_DURATION", "1h"],
    ["ECS_LOCAL_BIND_ADDRESS", "999.1.1.1"],
    ["ECS_LOCAL_BIND_ADDRESS", "1.2.3"],
    ["ECS_LOCAL_BIND_ADDRESS", "x y"],
    ["ECS_LOCAL_BIND_ADDRESS", "a..b"],
    ["ECS_LOCAL_BIND_ADDRESS", "-a"],
    ["ECS_LOCAL_BIND_ADDRESS", ":::1"],
    ["ECS_LOCAL_BIND_ADDRESS", "localhost:80"],
    ["ECS_LOCAL_BIND_ADDRESS", "http://localhost"],
  ] as const) {
    test(`${name}=${value}`, () => {
      expect(() => parseConfig({ [name]: value })).toThrow(new RegExp(`${name}.*'${value}'`));
    });
  }
  test("and all of them at once", () => {
    expect(() => parseConfig({ ECS_LOCAL_METADATA_PORT: "x", ECS_LOCAL_LOG_FORMAT: "y" })).toThrow(/PORT.*\n.*FORMAT/);
  });
});

describe("a bad address is said without its user and password", () => {
  const VARIABLES = [
    ...["DOCKER_HOST", "STS_ENDPOINT", "STS_CUSTOM_ENDPOINT", "AWS_ENDPOINT_URL_STS"],
    ...["IAM_ENDPOINT", "IAM_CUSTOM_ENDPOINT", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL"],
  ];
  for (const [at, [value, said]] of (
    [
      ["ssh://dev:hunter2@box", "ssh://***@box"],
      ["ftp://hunter2@box/a", "ftp://***@box/a"],
      ["FTP://dev:hunter2@box", "FTP://***@box"],
      ["dev:hunter2@box:4566", "***@box:4566"],
      ["http//dev:hunter2@box", "***@box"],
      ["http:///dev:hunter2@box", "http://***@box"],
      ["ssh://dev:hunter2@hunter2/@box", "ssh://***@box"],
      ["ssh://dev:hunter2#\n@box", "ssh://***@box"],
      ["://dev:hunter2@", "***@"],
    ] as const
  ).entries()) {
    // No password is in what a run of the tests says.
    test(`${said} (${at})`, () => {
      expect(withoutUserinfo(value)).toBe(said);
      for (const name of VARIABLES) {
        const readable = name !== "DOCKER_HOST" && URL.parse(value)?.protocol === "http:";
        if (readable) continue;
        expect(() => parseConfig({ [name]: value })).toThrow(`${name} is '${said}', which is n`);
      }
    });
  }
  test("and without one as it is", () => expect(withoutUserinfo("localhost:4566")).toBe("localhost:4566"));
});

describe("an address to listen on", () => {
  for (const [bind, address = bind] of [
    ["0.0.0.0"],
    ["::"],
    ["::1"],
    ["[::]", "::"],
    ["[::1]", "::1"],
    ["fe80::1%eth0"],
    ["localhost"],
    ["my-host_1"],
    ["a.b-c.example"],
    ["a.example."],
    ["1a.2"],
  ] as [string, string?][]) {
    test(`${bind} is ${address}`, () => expect(parseConfig({}, { bind }).bindAddress).toBe(address));
  }
  test("that is none is said of the command line where it was given there", () => {
    expect(() => parseConfig({}, { bind: "x y" })).toThrow("--bind is 'x y'");
  });
});

test("the command line wins, and an unknown variable of ours is found", () => {
  expect(parseConfig({ ECS_LOCAL_METADATA_PORT: "81" }, { port: "82" }).port).toBe(82);
  expect(parseConfig({}, { bind: "" }).bindAddress).toBe("127.0.0.1");
  expect(unknownVariables({ ECS_LOCAL_OFLINE: "1", ECS_LOCAL_OFFLINE: "1", HOME: "/" })).toEqual(["ECS_LOCAL_OFLINE"]);
});

test("a session's duration is an hour, or what is set within the bounds of STS", () => {
  const seconds = (value: string) => parseConfig({ ECS_LOCAL_SESSION_DURATION: value }).aws.sessionDurationSeconds;
  expect([seconds(""), seconds("900"), seconds("43200")]).toEqual([3600, 900, 43_200]);
});

describe("an unknown endpoint variable is reported with the right one", () => {
  for (const [variable, right] of [
    ["STS_ENDPOINT_URL", "STS_ENDPOINT"],
    ["AWS_STS_ENDPOINT", "STS_ENDPOINT"],
    ["AWS_STS_ENDPOINT_URL", "STS_ENDPOINT"],
    ["ENDPOINT_URL_STS", "STS_ENDPOINT"],
    ["sts_endpoint", "STS_ENDPOINT"],
    ["IAM_ENDPOINT_URL", "IAM_ENDPOINT"],
    ["AWS_IAM_ENDPOINT", "IAM_ENDPOINT"],
    ["AWS_ENDPOINT", "AWS_ENDPOINT_URL"],
    ["AWS_ENDPOINT_URI", "AWS_ENDPOINT_URL"],
    ["ENDPOINT_URL", "AWS_ENDPOINT_URL"],
  ] as const) {
    test(`${variable}: ${right}`, () => expect(misnamedEndpoints({ [variable]: "x" })).toEqual([{ variable, right }]));
  }
  for (const variable of [
    "STS_ENDPOINT",
    "STS_CUSTOM_ENDPOINT",
    "IAM_ENDPOINT",
    "IAM_CUSTOM_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "GUESTS_ENDPOINT",
    "DIAMOND_ENDPOINT",
  ]) {
    test(`${variable} is none`, () => expect(misnamedEndpoints({ [variable]: "x" })).toEqual([]));
  }
});
