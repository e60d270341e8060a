import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { configured, endAll, home, KEYS, startFake } from "../support/credential-server.ts";

// To load the SDK takes longer than a client waits, where the machine is busy.
beforeAll(() => import("../../src/aws/source.ts"));
afterEach(endAll);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const CLIENTS = 50;
const PATHS = ["/creds", "/role/app", "/role/team/app"];
const ACTIONS = ["GetSessionToken", "AssumeRole"];

/** A server and an STS whose clocks are one, which the test moves. */
function start() {
  const aws = startFake();
  const begin = Date.now();
  let passed = 0;
  const now = () => begin + passed;
  const app = configured({ ...KEYS, STS_ENDPOINT: aws.url, IAM_ENDPOINT: aws.url }, now);
  const pass = (ms: number): void => {
    passed += ms;
    aws.clockMs = now() - Date.now();
  };
  return { aws, ...app, now, pass };
}

const down = { code: "InternalFailure", status: 500 };
const throttling = { code: "Throttling", status: 400 };

for (const failure of [down, throttling]) {
  test(`ten minutes of ${failure.code}, 50 clients: no error while a set is valid, none expired, a call in 5 s`, async () => {
    const { aws, get, now, pass } = start();
    const ends = new Map<string, number>();
    for (const path of PATHS) ends.set(path, Date.parse((await get(path)).body.Expiration ?? ""));
    const calledAt: number[] = [];
    // The sets are 52 minutes old and end while STS is down, an odd number of seconds from now.
    pass(52 * MINUTE + SECOND);
    for (const action of ACTIONS) aws.failures[action] = failure;
    let counted = aws.requests.length;
    for (let step = 0; step < 300; step += 1) {
      const answers = await Promise.all(
        Array.from({ length: CLIENTS }, async (_, client) => {
          const path = PATHS[client % PATHS.length] ?? "";
          return { path, ...(await get(path)) };
        }),
      );
      for (const { path, status, body } of answers) {
        const isValid = now() < (ends.get(path) ?? 0);
        expect(status, `${path} after ${step * 2} s`).toBe(isValid ? 200 : 503);
        if (isValid) expect(Date.parse(body.Expiration ?? "")).toBeGreaterThan(now());
      }
      for (; counted < aws.requests.length; counted += 1) {
        if (aws.requests[counted]?.action !== "GetCallerIdentity") calledAt.push(now());
      }
      pass(2 * SECOND);
    }
    for (const at of calledAt) {
      const around = calledAt.filter((other) => other >= at && other < at + 5 * SECOND);
      expect(around.length).toBeLessThanOrEqual(PATHS.length);
    }
    // It was asked for all the while: nothing gave up.
    expect(calledAt.length).toBeGreaterThan(PATHS.length * 90);
    for (const action of ACTIONS) aws.failures[action] = undefined;
    pass(5 * SECOND);
    for (const path of PATHS) expect((await get(path)).status).toBe(200);
  }, 30_000);
}

test("an STS that is gone is not an error while a set is valid, and used again when it is back", async () => {
  const { aws, get, now, pass } = start();
  const end = Date.parse((await get("/creds")).body.Expiration ?? "");
  await aws.stop();
  pass(52 * MINUTE + SECOND);
  for (; now() < end; pass(10 * SECOND)) expect((await get("/creds")).status).toBe(200);
  expect(await get("/creds")).toMatchObject({ status: 503, body: { code: "UpstreamUnavailable" } });
});

for (const hours of [-3, 3]) {
  test(`a clock that is ${Math.abs(hours)} h ${hours < 0 ? "ahead of" : "behind"} AWS's is found out, and what is signed is right`, async () => {
    const aws = startFake();
    aws.isPunctual = true;
    aws.clockMs = hours * 60 * MINUTE;
    const { get } = configured({ ...KEYS, STS_ENDPOINT: aws.url }, () => Date.now() + aws.clockMs);
    expect((await get("/creds")).status).toBe(200);
    expect((await get("/role/app")).status).toBe(200);
    expect(aws.calls).toEqual({ GetSessionToken: 2, GetCallerIdentity: 1, AssumeRole: 1 });
  });
}

test("a wrong clock is found out by the role of a profile too", async () => {
  const aws = startFake();
  aws.isPunctual = true;
  aws.clockMs = 180 * MINUTE;
  const config = "[profile dev]\nrole_arn = arn:aws:iam::111122223333:role/dev\nsource_profile = base\n";
  const credentials = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n";
  const env = { HOME: home({ config, credentials }), AWS_PROFILE: "dev", STS_ENDPOINT: aws.url };
  expect((await configured(env, () => Date.now() + aws.clockMs).get("/creds")).status).toBe(200);
  expect(aws.calls).toEqual({ AssumeRole: 2 });
});

describe("what is handed out", () => {
  test("has over 15 minutes left while STS answers, whenever it is asked for", async () => {
    const { aws, get, now, pass } = start();
    for (let asked = 0; asked < 60; asked += 1) {
      const { status, body } = await get("/role/app");
      expect(status).toBe(200);
      expect(Date.parse(body.Expiration ?? "") - now()).toBeGreaterThan(15 * MINUTE);
      // A renewal that this began is to end before an hour passes in no time.
      await Bun.sleep(10);
      pass((((asked * 7) % 61) + 1) * MINUTE);
    }
    expect(aws.calls.AssumeRole).toBeLessThan(60);
  });
  for (const hours of [-5, -2, 2, 5]) {
    test(`is what STS gives as soon as a clock that was ${Math.abs(hours)} h ${hours < 0 ? "behind" : "ahead"} is right`, async () => {
      const { aws, get, now, pass } = start();
      const truth = { end: Date.parse((await get("/creds")).body.Expiration ?? "") };
      pass(hours * 60 * MINUTE);
      // STS does not share our mistake.
      aws.clockMs -= hours * 60 * MINUTE;
      const wrong = await get("/creds");
      if (hours < 0) expect(Date.parse(wrong.body.Expiration ?? "")).toBe(truth.end);
      else expect(wrong.status).toBe(400);
      pass(-hours * 60 * MINUTE);
      pass(5 * SECOND);
      const { status, body } = await get("/creds");
      expect(status).toBe(200);
      expect(Date.parse(body.Expiration ?? "")).toBeGreaterThan(now());
    });
  }
});
