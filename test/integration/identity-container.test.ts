import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Authority, createAuthority, HAS_OPENSSL } from "../support/authority.ts";
import { atEnd, endAll, home, online, setVariable, startFake, startIdentity } from "../support/credential-server.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";

afterEach(endAll);

const PASSWORD = "hunter2";
const SET = { AccessKeyId: "ASIATLS", SecretAccessKey: "s", Token: "t", Expiration: "2090-01-01T00:00:00Z" };
const creds = async (uri: string, env: Record<string, string> = {}) => {
  const { get, lines } = online(startFake(), { HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, ...env });
  return { ...(await get("/creds")), lines: lines.join() };
};

describe("user, password and query of the container's endpoint are in no answer and no log", () => {
  for (const [title, uri, said] of [
    [
      "refused",
      `http://me:${PASSWORD}@example.com/creds?token=${PASSWORD}`,
      "'http://example.com/creds' is not accepted",
    ],
    ["absent", `http://me:${PASSWORD}@127.0.0.1:1/creds?token=${PASSWORD}`, "'http://127.0.0.1:1/creds' could not"],
    ["no URL", `http://me:${PASSWORD}@[x/creds`, "FULL_URI is not a URL of http or https; correct AWS_CON"],
    ["of another scheme", `me:${PASSWORD}@127.0.0.1/creds`, "FULL_URI is not a URL of http or https; correct AWS_CON"],
  ] as const) {
    test(title, async () => {
      const { body, lines } = await creds(uri);
      expect(body.message).toContain(said);
      expect(lines).toContain("AWS_CONTAINER_CREDENTIALS_FULL_URI");
      expect(body.message + lines).not.toContain(PASSWORD);
    });
  }
  test("of the relative one neither", async () => {
    const env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: `@127.0.0.1:1/creds?token=${PASSWORD}` };
    const { body, lines } = await creds("", env);
    expect(body.message).toContain("RELATIVE_URI '/creds' could not reach 127.0.0.1:1");
    expect(body.message + lines).not.toContain(PASSWORD);
  });
});

describe("without TLS the container's endpoint is asked", () => {
  for (const host of [
    "localhost",
    "127.9.9.9",
    "127.1",
    "[::1]",
    "169.254.170.2",
    "169.254.170.23",
    "[fd00:ec2::23]",
  ]) {
    test(`at ${host}`, async () => {
      expect((await creds(`http://${host}:1/creds`)).body.message).not.toContain("is not accepted");
    });
  }
  for (const host of ["169.254.170.3", "10.0.0.1", "[::2]", "128.0.0.1", "127.0.0.1.example.com", "localhost.corp"]) {
    test(`not at ${host}`, async () => {
      expect(await creds(`http://${host}:1/creds`)).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining("is not accepted: without https it must be loopback") },
      });
    });
  }
});

describe("a token for the container's endpoint", () => {
  for (const [title, token, status] of [
    ["of one line", "one", 200],
    ["with the line feed of an editor", "one\n", 200],
    ["with a carriage return", "one\r\n", 400],
    ["of two lines", "one\ntwo-hunter2", 400],
  ] as const) {
    test(`${title} is ${status === 200 ? "sent" : "refused, and not shown"}`, async () => {
      const machine = startIdentity();
      machine.containerToken = "one";
      const HOME = home({ token });
      const file = { HOME, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(HOME, ".aws", "token") };
      const answer = await creds(`${machine.url}/container`, file);
      expect(answer.status).toBe(status);
      if (status === 200) return;
      expect(answer.body.message).toContain(
        "needs a token of one line of ASCII in AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
      );
      expect(answer.body.message + answer.lines).not.toContain(PASSWORD);
      expect(machine.calls).toEqual({});
    });
  }
});

test("a redirect of the container's endpoint is not followed", async () => {
  const machine = startIdentity();
  const moved = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => Response.redirect(`${machine.url}/container`, 307),
  });
  atEnd(() => moved.stop(true));
  const { status, body } = await creds(`http://127.0.0.1:${moved.port}/creds`);
  expect([status, body.message]).toEqual([503, expect.stringContaining("(Server responded with status: 307)")]);
  expect(machine.calls).toEqual({});
});

describe.skipIf(!HAS_OPENSSL)("over TLS the container's endpoint", () => {
  let authority: Authority;
  let local: ReturnType<Authority["issue"]>;
  let named: ReturnType<Authority["issue"]>;
  beforeAll(() => {
    authority = createAuthority();
    local = authority.issue("IP:127.0.0.1");
    named = authority.issue("DNS:creds.example.com");
  });
  afterAll(() => authority.remove());

  function start(tls: ReturnType<Authority["issue"]>) {
    const asked: (string | null)[] = [];
    const answer = (request: Request) => {
      asked.push(request.headers.get("authorization"));
      return Response.json(SET);
    };
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls, fetch: answer });
    atEnd(() => server.stop(true));
    return { asked, port: server.port ?? 0, url: `https://127.0.0.1:${server.port}/creds` };
  }

  test("is trusted by AWS_CA_BUNDLE, and given the token", async () => {
    const { asked, url } = start(local);
    const env = { AWS_CA_BUNDLE: authority.ca, AWS_CONTAINER_AUTHORIZATION_TOKEN: "given" };
    expect(await creds(url, env)).toMatchObject({ status: 200, body: { AccessKeyId: "ASIATLS" } });
    expect(asked).toEqual(["given"]);
  });
  test("is not asked without, and NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn that off", async () => {
    const { asked, url } = start(local);
    setVariable("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const { status, body } = await creds(url, { AWS_CONTAINER_AUTHORIZATION_TOKEN: "given" });
    expect([status, body.code]).toEqual([503, "UntrustedCertificate"]);
    expect(body.message).toContain("set AWS_CA_BUNDLE to a PEM file with that authority");
    expect(asked).toEqual([]);
  });
  test("with a certificate for another host is not asked, and the remedy is not about STS", async () => {
    const { asked, url } = start(named);
    const { body } = await creds(url, { AWS_CA_BUNDLE: authority.ca });
    expect(body.message).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID\); correct AWS_CONTAINER_CREDENTIALS_FULL_URI/);
    expect(asked).toEqual([]);
  });
  test("is reached through HTTPS_PROXY", async () => {
    const { asked, port } = start(named);
    const proxy = await startForwardProxy({ targetPort: port });
    atEnd(proxy.stop);
    const env = { AWS_CA_BUNDLE: authority.ca, HTTPS_PROXY: proxy.url };
    expect((await creds("https://creds.example.com/creds", env)).status).toBe(200);
    expect(proxy.asked).toEqual(["CONNECT creds.example.com:443"]);
    expect(asked).toEqual([null]);
  });
});
