import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "../../../src/commands/env.ts";

const ARN = "arn:aws:iam::123456789012:role/team/app";
const METADATA = [
  "ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3",
  "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4",
  "ECS_AGENT_URI=http://169.254.170.2/api",
];

function dotenv(options: Parameters<typeof env>[0], environment: Parameters<typeof env>[1] = {}): string[] {
  return env({ format: "dotenv", ...options }, environment).stdout.map((line) => line.trimEnd());
}

test("without an option it is what the agent sets, and nothing is said beside it", () => {
  expect(dotenv({})).toEqual(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds", ...METADATA]);
  expect(env({}, {}).stderr).toEqual([]);
});

test("each form is one line for each variable", () => {
  const first = (format?: string) => env({ format }, {}).stdout[0];
  expect(first()).toBe("export AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds\n");
  expect(first("dotenv")).toBe("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds\n");
  expect(first("yaml")).toBe("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: /creds\n");
});

test("a shell takes the lines, and the words in them are whole", () => {
  const { stdout } = env({ role: "a'b\"/$(id)!`x`/app" }, {});
  const shell = Bun.spawnSync(["sh", "-c", `${stdout.join("")}printf %s "$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"`]);
  expect(shell.stdout.toString()).toBe("/role/a%27b%22/%24%28id%29%21%60x%60/app");
});

describe("--role", () => {
  for (const [role, path] of [
    ["app", "/role/app"],
    ["team/app", "/role/team/app"],
    ["a+b=c,d.e@f-g_h", "/role/a+b=c,d.e@f-g_h"],
    [ARN, `/role-arn/${ARN}`],
  ] as const) {
    test(`${role} is asked for as ${path}`, () => {
      expect(dotenv({ role })).toEqual([`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=${path}`, ...METADATA]);
    });
  }
  test("a shell makes no home of ~", () => {
    expect(dotenv({ role: "a:~/x" })[0]).toBe("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/role/a:%7e/x");
  });
  for (const role of ["../creds", "a/./b", "..", ".", "%2e%2e/creds", "..%2fcreds", `${ARN}/../x`]) {
    test(`'${role}' is refused, which a client would make another path of`, () => {
      expect(() => env({ role }, {})).toThrow(`--role is '${role}'`);
    });
  }
  test("an empty one is refused with the option's name", () => {
    expect(() => env({ role: "" }, {})).toThrow("--role is ''");
  });
  test("what is not a role is refused", () => {
    expect(() => env({ role: "two words" }, {})).toThrow('"two words" is not a role');
  });
});

test("--container names it in each of the three addresses", () => {
  expect(dotenv({ container: "web" }).slice(1)).toEqual([
    "ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3/containers/web",
    "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/containers/web",
    "ECS_AGENT_URI=http://169.254.170.2/api/web",
  ]);
  for (const container of [".", ".."]) expect(() => env({ container }, {})).toThrow(`--container is '${container}'`);
  expect(() => env({ container: "web/../x" }, {})).toThrow("--container is 'web/../x'");
});

describe("--address", () => {
  const FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
  for (const [address, credentials, said] of [
    ["169.254.170.2", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds", []],
    ["169.254.170.2:80", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds", []],
    ["169.254.170.2:51679", `${FULL}=http://169.254.170.2:51679/creds`, [/older SDKs refuse/]],
    ["127.0.0.1:51679", `${FULL}=http://127.0.0.1:51679/creds`, [/loopback.*--container/]],
    ["localhost:80", `${FULL}=http://localhost/creds`, [/loopback.*--container/]],
    ["[fd00:ec2::23]", `${FULL}=http://[fd00:ec2::23]/creds`, [/older SDKs refuse/]],
    ["::1", `${FULL}=http://[::1]/creds`, [/loopback.*--container/]],
    ["169.254.170.3", `${FULL}=http://169.254.170.3/creds`, [/most SDKs refuse/]],
    ["endpoints:8080", `${FULL}=http://endpoints:8080/creds`, [/most SDKs refuse.*metadata works$/]],
    [
      "ecs.corp.example",
      `${FULL}=http://ecs.corp.example/creds`,
      [/metadata works once ECS_LOCAL_ALLOWED_HOSTS has that name$/],
    ],
  ] as const) {
    test(`${address} is ${credentials.split("=")[0]}${said.length > 0 ? `, with a word about ${said[0]}` : ""}`, () => {
      expect(dotenv({ address })[0]).toBe(credentials);
      const { stderr } = env({ address, format: "dotenv" }, {});
      expect(stderr).toHaveLength(said.length);
      said.forEach((words, at) => {
        expect(stderr[at]).toMatch(words);
      });
    });
  }
  for (const address of [
    ...["http://127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "a b", "", ":80", "::1:80x", "fe80::1%eth0"],
    ...["[....]", "[:::]", "[1.2.3.4]:80", "[web]", "[]", "...", "a..b", "-a", "999.1.1.1", "1.2.3"],
  ]) {
    test(`'${address}' is refused`, () => expect(() => env({ address }, {})).toThrow(`--address is '${address}'`));
  }
});

test("a region that is configured is set by both of its names", () => {
  const both = ["AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1"];
  expect(dotenv({}, { AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "us-east-2" }).slice(4)).toEqual(both);
  expect(dotenv({}, { AWS_DEFAULT_REGION: "eu-west-1" }).slice(4)).toEqual(both);
  expect(() => env({}, { AWS_REGION: "eu west" })).toThrow("AWS_REGION is 'eu west'");
});

test("a region that YAML would take for something else is text there", () => {
  for (const region of ["no", "on", "1e3", "2026-01-02", "eu-west-1"]) {
    const yaml = env({ format: "yaml" }, { AWS_REGION: region }).stdout.slice(-1).join("");
    expect(yaml).toBe(`AWS_DEFAULT_REGION: ${region === "eu-west-1" ? region : `"${region}"`}\n`);
  }
});

test("for a shell it says what is set there and gets in the way, by its name alone", () => {
  const hidden = {
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_DEFAULT_PROFILE: "AKIAIOSFODNN7EXAMPLE",
    AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1/creds",
  };
  const said = env({}, hidden).stderr;
  expect(said).toHaveLength(3);
  expect(said[0]).toMatch(/unset AWS_ACCESS_KEY_ID$/);
  expect(said[1]).toMatch(/unset AWS_DEFAULT_PROFILE$/);
  expect(said[2]).toMatch(/unset AWS_CONTAINER_CREDENTIALS_FULL_URI$/);
  expect(said.join("")).not.toContain("AKIA");
  expect(env({ format: "yaml" }, hidden).stderr).toEqual([]);
});

test("for a shell it says which files of AWS's come first there, and how none does", () => {
  const home = mkdtempSync(join(tmpdir(), "env-home-"));
  const own = join(home, "own");
  const [credentials, config] = [join(home, ".aws/credentials"), join(home, ".aws/config")];
  const [nothing, remedy] = ["/dev/null", "export AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_CONFIG_FILE=/dev/null"];
  const said = (environment: Record<string, string> = {}) => env({}, { HOME: home, ...environment }).stderr;
  expect(said()).toEqual([]);
  mkdirSync(join(home, ".aws"));
  for (const path of [credentials, config, own]) writeFileSync(path, "[default]\n");
  expect(said()).toEqual([
    `hint: keys of a default profile in ${credentials} or ${config}, if it has any, come before the endpoint: ${remedy}`,
  ]);
  expect(said({ AWS_CONFIG_FILE: nothing, AWS_SHARED_CREDENTIALS_FILE: own })).toEqual([
    `hint: keys of a default profile in ${own}, if it has any, come before the endpoint: ${remedy}`,
  ]);
  expect(said({ AWS_CONFIG_FILE: nothing, AWS_SHARED_CREDENTIALS_FILE: nothing })).toEqual([]);
  expect(said({ AWS_CONFIG_FILE: nothing, AWS_SHARED_CREDENTIALS_FILE: join(home, "no") })).toEqual([]);
  expect(env({ format: "dotenv" }, { HOME: home }).stderr).toEqual([]);
  rmSync(home, { recursive: true });
});

test("an unknown form is refused with those that there are", () => {
  expect(() => env({ format: "toString" }, {})).toThrow(
    "--format is 'toString', which is not one of shell, dotenv, yaml",
  );
});

test("what is refused is named on one line, with nothing that a terminal obeys", () => {
  const evil = "a\nb\u001b[31m";
  for (const options of [{ container: evil }, { format: evil }, { address: evil }]) {
    expect(() => env(options, {})).toThrow(/is 'a\?b\?\[31m/);
  }
  expect(() => env({ role: `${evil}/..` }, {})).toThrow(/^"a\\nb\\u001b\[31m\/\.\." is not a role: [ -~]*$/);
});
