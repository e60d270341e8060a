import { afterEach, describe, expect, test } from "bun:test";
import { atEnd, endAll, home, online, startFake } from "../support/credential-server.ts";
import { secret } from "../support/secrets.ts";

afterEach(endAll);

const SET = {
  Code: "Success",
  AccessKeyId: "ASIAINSTANCE",
  SecretAccessKey: secret("instance-secret"),
  Token: secret("instance-token"),
  Expiration: "2090-01-01T00:00:00Z",
};

/** A metadata service that gives a session with `session`, and `answer` for the role's set. */
function start(answer: string, session = 200, role = "instance-role") {
  const asked: string[] = [];
  const service = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname } = new URL(request.url);
      const token = request.headers.get("x-aws-ec2-metadata-token") ?? "";
      asked.push(`${request.method} ${pathname.split("/").at(-1) || "roles"} ${token}`.trim());
      if (pathname === "/latest/api/token") return new Response("session-1", { status: session });
      return new Response(pathname.endsWith("/") ? `${role}\n` : answer);
    },
  });
  atEnd(() => service.stop(true));
  return { asked, url: service.url.origin };
}

const WITH_SESSION = ["PUT token", "GET roles session-1", "GET instance-role session-1"];
const WITHOUT = ["PUT token", "GET roles", "GET instance-role"];

describe("the instance is asked", () => {
  for (const [title, env, settings] of [
    ["where the environment says", (url: string) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url }), () => ""],
    ["where the profile says", () => ({}), (url: string) => `ec2_metadata_service_endpoint = ${url}`],
    [
      "where the environment says, whatever the profile does",
      (url: string) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url }),
      () => "ec2_metadata_service_endpoint = http://127.0.0.1:1\nec2_metadata_v1_disabled = true",
    ],
  ] as const) {
    test(title, async () => {
      const { asked, url } = start(JSON.stringify(SET));
      const HOME = home({ config: `[default]\nregion = eu-west-1\n${settings(url)}\n` });
      const { body } = await online(startFake(), { HOME, ...env(url) }).get("/creds");
      expect(body).toMatchObject({ AccessKeyId: "ASIAINSTANCE", Expiration: SET.Expiration });
      expect(asked).toEqual(WITH_SESSION);
    });
  }
  for (const [status, disabled, isGiven] of [
    [404, {}, true],
    [403, { AWS_EC2_METADATA_V1_DISABLED: "false" }, true],
    [404, { AWS_EC2_METADATA_V1_DISABLED: "true" }, false],
    [400, {}, false],
  ] as const) {
    test(`${isGiven ? "" : "not "}without a session that it refuses with ${status} and ${JSON.stringify(disabled)}`, async () => {
      const { asked, url } = start(JSON.stringify(SET), status);
      const env = { HOME: home({}), AWS_EC2_METADATA_SERVICE_ENDPOINT: url, ...disabled };
      const answer = await online(startFake(), env).get("/creds");
      if (!isGiven) expect(answer.body.message).toContain(`instance metadata (it answered with status ${status});`);
      expect([answer.status, asked]).toEqual(isGiven ? [200, WITHOUT] : [400, ["PUT token"]]);
    });
  }
  test("not where the profile forbids to go without a session", async () => {
    const { asked, url } = start(JSON.stringify(SET), 404);
    const config = "[default]\nec2_metadata_v1_disabled = true\n";
    const env = { HOME: home({ config }), AWS_EC2_METADATA_SERVICE_ENDPOINT: url };
    expect((await online(startFake(), env).get("/creds")).status).toBe(400);
    expect(asked).toEqual(["PUT token"]);
  });
});

describe("an instance that gives no credentials says why, and nothing of what it gave:", () => {
  for (const [title, answer, said] of [
    [
      "a refusal",
      '{"Code":"AssumeRoleUnauthorizedAccess","Message":"swordfish"}',
      "it answered AssumeRoleUnauthorized",
    ],
    ["no JSON", "swordfish", "it answered no credentials"],
    ["half a set", JSON.stringify({ ...SET, Token: "", SecretAccessKey: "swordfish" }), "it answered no credentials"],
    ["an end that is not a time", JSON.stringify({ ...SET, Expiration: "swordfish" }), "it answered no credentials"],
    ["an end after 9999", JSON.stringify({ ...SET, Expiration: "+012345-01-01T00:00:00Z" }), "it answered no cred"],
  ] as const) {
    test(title, async () => {
      const { url } = start(answer);
      const { get, lines } = online(startFake(), { HOME: home({}), AWS_EC2_METADATA_SERVICE_ENDPOINT: url });
      const { status, body } = await get("/creds");
      expect([status, body.message]).toEqual([400, expect.stringContaining(`instance metadata (${said}`)]);
      expect(body.message + lines.join()).not.toContain("swordfish");
    });
  }
  for (const [title, url, said] of [
    ["nothing there", "http://127.0.0.1:1", "could not reach 127.0.0.1:1 (ECONNREFUSED)"],
    ["no URL", "127.0.0.1", "its address is not a URL of http or https"],
    ["a page for a role", undefined, "it names no role"],
  ] as const) {
    test(title, async () => {
      const AWS_EC2_METADATA_SERVICE_ENDPOINT = url ?? start("", 200, "<html> log in").url;
      const { get } = online(startFake(), { HOME: home({}), AWS_EC2_METADATA_SERVICE_ENDPOINT });
      expect((await get("/creds")).body.message).toContain(`instance metadata (${said})`);
    });
  }
});

test("an instance whose answer drips is given up in time, with its connection", async () => {
  let open = 0;
  const drips = new Set<Timer>();
  const service = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: () => void open++,
      close: () => void open--,
      data(socket) {
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        drips.add(setInterval(() => socket.write("1\r\na\r\n"), 100));
      },
    },
  });
  atEnd(() => {
    for (const drip of drips) clearInterval(drip);
    service.stop(true);
  });
  const AWS_EC2_METADATA_SERVICE_ENDPOINT = `http://127.0.0.1:${service.port}`;
  const { get } = online(startFake(), { HOME: home({}), AWS_EC2_METADATA_SERVICE_ENDPOINT });
  const { status, body } = await get("/creds");
  const said = `instance metadata (had no answer from 127.0.0.1:${service.port} in time)`;
  expect([status, body.message]).toEqual([400, expect.stringContaining(said)]);
  await Bun.sleep(100);
  expect(open).toBe(0);
});
