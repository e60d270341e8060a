import { describe, expect, test } from "bun:test";
import { createProxyChoice, unusableProxies } from "../../../src/aws/proxy.ts";

const STS = "https://sts.eu-west-1.amazonaws.com";
const PROXY = { HTTPS_PROXY: "http://proxy:3128", HTTP_PROXY: "plain:3128" };
const choose = (env: Record<string, string>, url: string) => createProxyChoice(env)(new URL(url))?.host;

describe("through the proxy", () => {
  for (const [env, url, proxy] of [
    [PROXY, STS, "proxy:3128"],
    [PROXY, "http://sts.example.com", "plain:3128"],
    [PROXY, "https://8.8.8.8", "proxy:3128"],
    [PROXY, "https://172.32.0.1", "proxy:3128"],
    [PROXY, "https://100.64.0.1", "proxy:3128"],
    [PROXY, "https://[2600::1]", "proxy:3128"],
    [{ https_proxy: "http://lower:1" }, STS, "lower:1"],
    [{ ALL_PROXY: "http://all:1" }, STS, "all:1"],
    [{ ...PROXY, NO_PROXY: "west-1.amazonaws.com" }, STS, "proxy:3128"],
    [{ ...PROXY, NO_PROXY: "amazonaws.com:8443" }, STS, "proxy:3128"],
    [{ ...PROXY, NO_PROXY: "9.0.0.0/8, nonsense/99" }, "https://8.8.8.8", "proxy:3128"],
  ] as const) {
    test(`${url} with ${JSON.stringify(env)}`, () => expect(choose(env, url)).toBe(proxy));
  }
});

describe("straight", () => {
  for (const url of [
    "http://localhost:4566",
    "http://localstack:4566",
    "https://host.docker.internal:4566",
    "http://127.0.0.2",
    "http://169.254.169.254",
    "http://169.254.170.2",
    "http://172.18.0.3:4566",
    "http://10.1.2.3",
    "http://192.168.1.2",
    "http://[::1]:4566",
    "http://[fe80::1]",
    "http://[fd00:ec2::23]",
  ]) {
    test(`to ${url}, whatever the proxy`, () => expect(choose(PROXY, url)).toBeUndefined());
  }
  for (const exception of [
    "*",
    "amazonaws.com",
    ".amazonaws.com",
    "*.amazonaws.com",
    "other.org,STS.eu-west-1.amazonaws.com",
    "amazonaws.com:443",
  ]) {
    test(`where NO_PROXY is ${exception}`, () => {
      expect(choose({ ...PROXY, NO_PROXY: exception }, STS)).toBeUndefined();
      expect(choose({ ...PROXY, no_proxy: exception }, STS)).toBeUndefined();
    });
  }
  test("for a range or an address of NO_PROXY", () => {
    for (const NO_PROXY of ["8.8.0.0/16", "8.8.8.8", "2600::/16,8.8.8.8:443"]) {
      expect(choose({ ...PROXY, NO_PROXY }, "https://8.8.8.8")).toBeUndefined();
    }
    expect(choose({ ...PROXY, NO_PROXY: "2600::/16" }, "https://[2600::1]")).toBeUndefined();
  });
  test("where none is set, or one of an unsupported kind", () => {
    expect(choose({}, STS)).toBeUndefined();
    expect(choose({ ALL_PROXY: "socks5://s:1" }, STS)).toBeUndefined();
  });
});

test("a proxy that is none of HTTP is told of", () => {
  const env = { HTTPS_PROXY: "proxy:3128", https_proxy: "", ALL_PROXY: "socks5://s:1", http_proxy: "http://:x" };
  expect(unusableProxies(env)).toEqual(["http_proxy", "ALL_PROXY"]);
});
