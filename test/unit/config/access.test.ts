import { describe, expect, test } from "bun:test";
import { type AccessConfig, readToken } from "../../../src/config/access.ts";
import { parseConfig } from "../../../src/config/config.ts";
import { unknownVariables } from "../../../src/config/unknown-variables.ts";

const access = (env: Record<string, string>): AccessConfig => parseConfig(env).access;

test("nothing is configured unless it is asked for", () => {
  expect(access({})).toEqual({
    allowedHosts: [],
    allowedNetworks: [],
    allowedRoles: undefined,
    refuseGateway: false,
    authToken: undefined,
    authTokenFile: undefined,
    rateLimit: undefined,
  });
});

describe("ECS_LOCAL_ALLOWED_NETWORKS takes", () => {
  for (const [text, networks] of [
    ["10.0.0.0/8", ["10.0.0.0/8"]],
    ["10.0.0.0/8, fd00::/8  ::1/128", ["10.0.0.0/8", "fd00::/8", "::1/128"]],
    ["10.0.0.5", ["10.0.0.5/32"]],
    ["fd00::5", ["fd00::5/128"]],
    ["0.0.0.0/0,::/0", ["0.0.0.0/0", "::/0"]],
  ] as const) {
    test(text, () => {
      expect(access({ ECS_LOCAL_ALLOWED_NETWORKS: text }).allowedNetworks).toEqual([...networks]);
    });
  }
});

describe("a bad value is named", () => {
  for (const [name, value, shown = value] of [
    ...[
      "10.0.0.0/33",
      "10.0.0/8",
      "256.0.0.0/8",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "fd00::/129",
      "fd00:::/8",
      "lan",
      "010.0.0.1",
      "/8",
      "10.0.0.0/x",
    ].map((network) => ["ECS_LOCAL_ALLOWED_NETWORKS", network] as const),
    ["ECS_LOCAL_ALLOWED_NETWORKS", "10.0.0.0/8,lan", "lan"],
    ["ECS_LOCAL_REFUSE_GATEWAY", "perhaps"],
    ...["40", "40,", "0,60", "40,0", "a,b", "40,60,80", "-1,60", "1e3,60"].map(
      (rate) => ["ECS_TASK_METADATA_RPS_LIMIT", rate] as const,
    ),
  ] as const) {
    test(`${name}=${value}`, () => {
      expect(() => parseConfig({ [name]: value })).toThrow(`'${shown}'`);
      expect(() => parseConfig({ [name]: value })).toThrow(name);
    });
  }
});

test("hosts are in lower case without a final dot, and roles as they are", () => {
  const { allowedHosts, allowedRoles } = access({
    ECS_LOCAL_ALLOWED_HOSTS: "ECS.test., a.b",
    ECS_LOCAL_ALLOWED_ROLES: "creds, App team/*",
  });
  expect([allowedHosts, allowedRoles]).toEqual([
    ["ecs.test", "a.b"],
    ["creds", "App", "team/*"],
  ]);
});

test("a rate is the agent's 'rate,burst'", () => {
  expect(access({ ECS_TASK_METADATA_RPS_LIMIT: "40,60" }).rateLimit).toEqual({ perSecond: 40, burst: 60 });
});

describe("a token", () => {
  test("is not quoted in the error for one that no header carries", () => {
    for (const token of ["secret\ttoken", "secret\ntoken", "sécret"]) {
      expect(() => access({ ECS_LOCAL_AUTH_TOKEN: token })).toThrow(/ECS_LOCAL_AUTH_TOKEN(?!.*s.cret)/s);
    }
    expect(access({ ECS_LOCAL_AUTH_TOKEN: "Basic c2VjcmV0" }).authToken).toBe("Basic c2VjcmV0");
  });
  test("and a file of one are too much", () => {
    expect(() => access({ ECS_LOCAL_AUTH_TOKEN: "t", ECS_LOCAL_AUTH_TOKEN_FILE: "/t" })).toThrow("both set");
  });
  for (const [title, text, token] of [
    ["with a line's end", "secret\n", "secret"],
    ["of two lines", "one\ntwo", undefined],
    ["of nothing", " \n", undefined],
  ] as const) {
    test(`of a file ${title}`, () => {
      const read = () => readToken("/run/token", () => text);
      if (token) expect(read()).toBe(token);
      else expect(read).toThrow("'/run/token'");
    });
  }
  test("of a file that is not there is a bad start", () => {
    const read = () =>
      readToken("/run/token", () => {
        throw new Error("ENOENT");
      });
    expect(read).toThrow(expect.objectContaining({ code: "bad-configuration" }) as Error);
  });
});

test("the variables of the door are known", () => {
  const names = [
    "ALLOWED_HOSTS",
    "ALLOWED_NETWORKS",
    "ALLOWED_ROLES",
    "REFUSE_GATEWAY",
    "AUTH_TOKEN",
    "AUTH_TOKEN_FILE",
  ];
  expect(unknownVariables(Object.fromEntries(names.map((name) => [`ECS_LOCAL_${name}`, "1"])))).toBeEmpty();
});
