import { describe, expect, test } from "bun:test";
import { createGuard } from "../../../src/routes/guard.ts";
import { pathOf } from "../../../src/routes/path.ts";

const guard = createGuard({ allowedHosts: ["ecs.test", "metadata.corp.example"] });
const refusal = (code: string, message: string) => expect.objectContaining({ code, message }) as Error;

function ask(
  options: { path?: string; method?: string; headers?: Record<string, string> | [string, string][] } = {},
): () => void {
  const request = new Request(`http://169.254.170.2${options.path ?? "/creds"}`, {
    method: options.method ?? "GET",
    headers: options.headers ?? { host: "169.254.170.2" },
  });
  return () => guard(request, pathOf(request.url), "127.0.0.1");
}

describe("a Host that is answered", () => {
  for (const host of [
    "169.254.170.2",
    "169.254.170.2:51679",
    "127.0.0.1",
    "1.2.3.4.",
    "169.254.170.2.:51679",
    "[::1]",
    "[::1]:51679",
    "[FD00::2]:80",
    "[::ffff:10.0.0.2]",
    "localhost",
    "LocalHost:51679",
    "localhost.",
    "localhost.:80",
    "ecs-local-endpoints",
    "ecs_local_endpoints:80",
    "Web-1.",
    "host.docker.internal",
    "host.docker.internal.:80",
    "HOST.Docker.Internal",
    "gateway.docker.internal:1",
    "host.containers.internal",
    "host.lima.internal",
    "ecs.test",
    "ECS.test.:80",
    "metadata.corp.example",
  ]) {
    test(host, () => expect(ask({ headers: { host } })).not.toThrow());
  }
});

describe("no Host, which HTTP/1.0 may leave out,", () => {
  for (const [title, headers] of [
    ["none", {}],
    ["an empty one", { host: "" }],
  ] as const) {
    test(`is answered at /health alone: ${title}`, () => {
      expect(ask({ path: "/health", headers })).not.toThrow();
      for (const path of ["/", "/creds", "/v3", "/healthz", "/x/health"]) {
        expect(ask({ path, headers })).toThrow(refusal("bad-path", "The request names no Host"));
      }
    });
    test(`is not answered to a browser: ${title}`, () => {
      expect(ask({ path: "/health", headers: { ...headers, origin: "null" } })).toThrow("carries origin");
    });
  }
});

describe("a Host that is refused", () => {
  for (const host of [
    "evil.com",
    "evil.com:80",
    "evil.com.",
    "1.2.3.4.evil.com",
    "1.2.3.4:80.evil.com",
    "169.254.170.2.nip.io",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.4..",
    "1.2.3.4.:x",
    "localhost.evil.com",
    "evil.localhost",
    "localhost..",
    "localhost:80:80",
    "localhost:x",
    "xhost.docker.internal",
    "host.docker.internal.evil.com",
    "docker.internal",
    "other.ecs.test",
    "ecs.test.evil.com",
    "[::1].evil.com",
    "[::1",
    "::1",
    "[evil.com]",
    "user@localhost",
    "local host",
    "löcalhost",
    ".",
    ":80",
  ]) {
    test(host, () => {
      const message = `The Host '${host}' is not one that this server answers to`;
      expect(ask({ headers: { host } })).toThrow(refusal("forbidden", message));
    });
  }

  test("names the variable that lets it in", () => {
    expect(ask({ headers: { host: "evil.com" } })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("ECS_LOCAL_ALLOWED_HOSTS") }),
    );
  });
  test("is cut where it is long", () => {
    expect(ask({ headers: { host: `${"a.".repeat(1000)}com` } })).toThrow(/^The Host '(a\.){40}…' is/);
  });
  test("is not let in by a guard that allows others", () => {
    const strict = createGuard({ allowedHosts: [] });
    expect(() => strict(new Request("http://h/", { headers: { host: "ecs.test" } }), "/", "127.0.0.1")).toThrow(
      "ecs.test",
    );
  });
});

describe("two Hosts are a bad request", () => {
  for (const hosts of [
    ["localhost", "evil.com"],
    ["localhost", "localhost"],
    ["169.254.170.2", "169.254.170.2"],
    ["localhost", ""],
  ]) {
    test(hosts.join(" and "), () => {
      const headers = hosts.map((host): [string, string] => ["host", host]);
      expect(ask({ headers })).toThrow(
        refusal("bad-path", `The request carries more than one Host: ${hosts.join(", ")}`),
      );
    });
  }
});

describe("a header of a browser or a proxy is refused", () => {
  for (const [name, value] of [
    ["Origin", "null"],
    ["Origin", "http://localhost"],
    ["Referer", "http://localhost/"],
    ["Sec-Fetch-Site", "none"],
    ["Sec-Fetch-Mode", "no-cors"],
    ["Sec-Fetch-Dest", "image"],
    ["Sec-Fetch-User", "?1"],
    ["X-Forwarded-For", "10.0.0.2"],
    ["Forwarded", "for=10.0.0.2"],
    ["Via", "1.1 squid"],
    ["Via", ""],
  ] as const) {
    test(`${name}: ${value}`, () => {
      const message = `The request carries ${name.toLowerCase()}, so a browser or a proxy sent it`;
      expect(ask({ headers: { host: "localhost", [name]: value } })).toThrow(refusal("forbidden", message));
    });
  }
  for (const name of ["User-Agent", "Accept", "Authorization", "Accept-Encoding", "X-Origin", "Connection"]) {
    test(`and ${name}, which is none, is not`, () => {
      expect(ask({ headers: { host: "localhost", [name]: "x" } })).not.toThrow();
    });
  }
});
