import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type Authority, createAuthority, HAS_OPENSSL } from "../support/authority.ts";
import { startBinary } from "../support/binary.ts";
import { atEnd, endAll, startFake } from "../support/credential-server.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";

const PASSWORD = "p4ssw0rd-of-the-proxy";
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY";
const KEYS = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: SECRET, AWS_REGION: "eu-west-1" };

describe.skipIf(!HAS_OPENSSL)("the binary, behind a proxy that asks for a password and changes certificates", () => {
  let authority: Authority;
  beforeAll(() => {
    authority = createAuthority();
  });
  afterAll(() => authority.remove());
  afterEach(endAll);

  async function ask(env: Record<string, string>) {
    const aws = startFake(authority.issue("DNS:sts.eu-west-1.amazonaws.com"));
    const proxy = await startForwardProxy({ targetPort: aws.port, user: `me:${PASSWORD}` });
    atEnd(proxy.stop);
    const server = await startBinary({ ...KEYS, HTTPS_PROXY: proxy.url, ...env });
    let answer = await server.get("/creds");
    // The first may come before the SDK is loaded.
    for (let tries = 0; answer.status === 503 && (await answer.clone().text()).includes("still"); tries += 1) {
      if (tries > 5) break;
      answer = await server.get("/creds");
    }
    const body = (await answer.json()) as Record<string, string>;
    await server.stop();
    expect(server.log()).not.toContain(PASSWORD);
    expect(server.log()).not.toContain(SECRET);
    return { status: answer.status, body, asked: new Set(proxy.asked), calls: aws.calls };
  }

  test("returns with AWS_CA_BUNDLE", async () => {
    expect(await ask({ AWS_CA_BUNDLE: authority.ca })).toMatchObject({
      status: 200,
      asked: new Set(["CONNECT sts.eu-west-1.amazonaws.com:443"]),
      calls: { GetSessionToken: 1 },
    });
  });
  test("refuses without, and no variable turns that off", async () => {
    expect(await ask({ NODE_TLS_REJECT_UNAUTHORIZED: "0" })).toMatchObject({
      status: 503,
      body: { code: "UntrustedCertificate" },
      calls: {},
    });
  });
});
