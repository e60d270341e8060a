import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type Authority, createAuthority, HAS_OPENSSL } from "../support/authority.ts";
import { atEnd, configured, endAll, KEYS, ROLE_ARN, setVariable, startFake } from "../support/credential-server.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";

const STS = "https://sts.eu-west-1.amazonaws.com";
const PASSWORD = "p4ssw0rd-of-the-proxy";

describe.skipIf(!HAS_OPENSSL)("over TLS with an authority of a company", () => {
  let authority: Authority;
  let local: ReturnType<Authority["issue"]>;
  let aws: ReturnType<Authority["issue"]>;
  beforeAll(async () => {
    await import("../../src/aws/source.ts");
    authority = createAuthority();
    local = authority.issue("IP:127.0.0.1");
    aws = authority.issue("DNS:sts.eu-west-1.amazonaws.com", "DNS:iam.amazonaws.com");
  });
  afterAll(() => authority.remove());
  afterEach(endAll);

  async function proxied(options: { user?: string; refuse?: number } = {}) {
    const server = startFake(aws);
    const proxy = await startForwardProxy({ targetPort: server.port, ...options });
    atEnd(proxy.stop);
    return { server, proxy };
  }

  for (const variable of ["AWS_CA_BUNDLE", "SSL_CERT_FILE"]) {
    test(`${variable} makes it trusted`, async () => {
      const server = startFake(local);
      const { get } = configured({ ...KEYS, STS_ENDPOINT: server.url, [variable]: authority.ca });
      expect((await get("/creds")).status).toBe(200);
      expect((await get(`/role-arn/${ROLE_ARN}`)).status).toBe(200);
    });
  }
  test("without, it is refused, and the server is never asked", async () => {
    const server = startFake(local);
    const { get } = configured({ ...KEYS, STS_ENDPOINT: server.url });
    expect(await get("/creds")).toMatchObject({ status: 503, body: { code: "UntrustedCertificate" } });
    expect(server.calls).toEqual({});
  });
  // Bun reads this one from the process itself.
  test("NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn verification off", async () => {
    const server = startFake(local);
    setVariable("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    expect(await fetch(server.url).then(({ status }) => status)).toBe(400);
    expect((await configured({ ...KEYS, STS_ENDPOINT: server.url }).get("/creds")).body.code).toBe(
      "UntrustedCertificate",
    );
  });

  for (const variable of ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"]) {
    test(`${variable} is the way to AWS, with its user and password`, async () => {
      const { server, proxy } = await proxied({ user: `me:${PASSWORD}` });
      const env = { ...KEYS, AWS_REGION: "eu-west-1", AWS_CA_BUNDLE: authority.ca, [variable]: proxy.url };
      const { get, lines } = configured(env);
      expect((await get("/creds")).status).toBe(200);
      expect(proxy.asked).toEqual(["CONNECT sts.eu-west-1.amazonaws.com:443"]);
      expect(server.calls).toEqual({ GetSessionToken: 1 });
      expect(lines.join()).not.toContain(PASSWORD);
    });
  }
  test("behind a proxy the certificate is verified all the same", async () => {
    const { server, proxy } = await proxied();
    const env = { ...KEYS, AWS_REGION: "eu-west-1", HTTPS_PROXY: proxy.url };
    expect((await configured(env).get("/creds")).body.code).toBe("UntrustedCertificate");
    expect(server.calls).toEqual({});
  });
  test("NO_PROXY keeps a host from the proxy", async () => {
    const { proxy } = await proxied();
    const env = {
      ...KEYS,
      STS_ENDPOINT: "https://sts.corp.invalid",
      HTTPS_PROXY: proxy.url,
      NO_PROXY: ".corp.invalid",
    };
    expect((await configured(env).get("/creds")).body.message).toContain("no such name (ENOTFOUND)");
    expect(proxy.asked).toEqual([]);
  });
  test("a refusal names the proxy, and never its password", async () => {
    for (const [refuse, remedy] of [
      [407, "user and password"],
      [403, "NO_PROXY"],
    ] as const) {
      const { proxy } = await proxied({ user: `me:${PASSWORD}`, refuse });
      const { get, lines } = configured({ ...KEYS, STS_ENDPOINT: STS, HTTPS_PROXY: proxy.url });
      const { status, body } = await get("/creds");
      expect([status, body.code]).toEqual([503, "ProxyRefused"]);
      expect(body.message).toMatch(new RegExp(`the proxy 127\\.0\\.0\\.1:${proxy.port} \\(${refuse}\\).*${remedy}`));
      expect(body.message + lines.join()).not.toContain(PASSWORD);
    }
  });
});

describe("HTTP_PROXY", () => {
  afterEach(endAll);
  test("is the way to an endpoint without TLS, and a refusal there is the proxy's", async () => {
    const server = startFake();
    const proxy = await startForwardProxy({ targetPort: server.port, user: `me:${PASSWORD}` });
    atEnd(proxy.stop);
    const env = { ...KEYS, STS_ENDPOINT: "http://sts.example.test" };
    expect((await configured({ ...env, HTTP_PROXY: proxy.url }).get("/creds")).status).toBe(200);
    expect(server.calls).toEqual({ GetSessionToken: 1 });
    const closed = await startForwardProxy({ targetPort: server.port, refuse: 407 });
    atEnd(closed.stop);
    expect((await configured({ ...env, HTTP_PROXY: closed.url }).get("/creds")).body).toMatchObject({
      code: "ProxyRefused",
    });
  });
  test("is not the way to a container or this machine", async () => {
    const server = startFake();
    const proxy = await startForwardProxy({ targetPort: server.port });
    atEnd(proxy.stop);
    expect((await configured({ ...KEYS, STS_ENDPOINT: server.url, HTTP_PROXY: proxy.url }).get("/creds")).status).toBe(
      200,
    );
    expect(proxy.asked).toEqual([]);
  });
});
