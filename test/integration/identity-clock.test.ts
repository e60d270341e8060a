import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createOnlineSource } from "../../src/aws/lazy-source.ts";
import { createVendor } from "../../src/credentials/vendor.ts";
import { atEnd, endAll, home, ROLE_ARN, startFake, startIdentity } from "../support/credential-server.ts";
import { secret } from "../support/secrets.ts";

afterEach(endAll);

const MINUTE_MS = 60_000;
const BACK_MS = 120 * MINUTE_MS;
const CONFIG = { stsEndpoint: undefined, iamEndpoint: undefined, region: undefined, sharedTokenExpirationSeconds: 750 };
const NO_LOG = { debug() {}, info() {}, warning() {}, error() {}, flush() {} };

/** A vendor of what the machine gives for an hour each time, in a world whose clock can be set. */
function start() {
  const machine = startIdentity();
  const began = Date.now();
  let passed = 0;
  let wrongBy = 0;
  const now = () => began + passed + wrongBy;
  const monotonic = () => passed;
  const give = (id: string, lifeMs = 60 * MINUTE_MS): void => {
    const set = { AccessKeyId: id, SecretAccessKey: secret("secret-given"), Token: secret("token-given") };
    const Expiration = new Date(began + passed + lifeMs).toISOString();
    machine.containerAnswer = { status: 200, body: JSON.stringify({ ...set, Expiration }) };
  };
  const env = { HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container` };
  const source = createOnlineSource({ config: CONFIG, env, now, monotonic });
  const vendor = createVendor({ source, now, monotonic, log: NO_LOG });
  atEnd(vendor.close);
  return {
    machine,
    give,
    vend: async () => (await vendor.vend({ kind: "session" })).accessKeyId,
    pass: (ms: number): void => {
      passed += ms;
    },
    setClock: (ms: number): void => {
      wrongBy = ms;
    },
  };
}

describe("an identity whose end has come, but for a clock that was set back,", () => {
  test("is asked for again", async () => {
    const { give, vend, pass, setClock } = start();
    give("ASIAONE");
    expect(await vend()).toBe("ASIAONE");
    setClock(-BACK_MS);
    give("ASIATWO");
    pass(61 * MINUTE_MS);
    expect(await vend()).toBe("ASIATWO");
  });
  test("is renewed in time, as by a clock that is right", async () => {
    const { give, vend, pass, setClock } = start();
    give("ASIAONE");
    await vend();
    setClock(-BACK_MS);
    pass(41 * MINUTE_MS);
    give("ASIATWO");
    await vend();
    await Bun.sleep(50);
    expect(await vend()).toBe("ASIATWO");
  });
  test("is refused where what gives it has no other", async () => {
    const { machine, give, vend, pass, setClock } = start();
    give("ASIAONE");
    await vend();
    setClock(-BACK_MS);
    for (const minutes of [41, 20]) {
      pass(minutes * MINUTE_MS);
      await vend().catch(() => {});
      await Bun.sleep(50);
    }
    expect(machine.calls.container).toBeGreaterThan(1);
    for (let minute = 0; minute < 3; minute += 1) {
      await expect(vend()).rejects.toThrow(
        "have ended by the time that has passed, and this machine's clock was set back",
      );
      pass(MINUTE_MS);
    }
  });
  test("is not used once it could not be renewed", async () => {
    const { machine, give, vend, pass, setClock } = start();
    give("ASIAONE");
    await vend();
    setClock(-BACK_MS);
    machine.containerAnswer = { status: 500, body: "" };
    pass(61 * MINUTE_MS);
    await expect(vend()).rejects.toThrow("did not answer");
  });
});

for (const [title, config] of [
  ["a profile", `role_arn = ${ROLE_ARN}\nsource_profile = dev\naws_access_key_id = AKIA\naws_secret_access_key = s`],
  ["a profile with a web identity", `role_arn = ${ROLE_ARN}\nweb_identity_token_file = TOKEN`],
] as const) {
  test(`a session that ${title} gave while the clock was behind lives no longer than STS was asked for`, async () => {
    const aws = startFake();
    const HOME = home({ token: "jwt" });
    const text = config.replace("TOKEN", join(HOME, ".aws", "token"));
    writeFileSync(join(HOME, ".aws", "config"), `[profile dev]\n${text}\n`);
    let passed = 0;
    const began = Date.now() - BACK_MS;
    const times = { now: () => began + passed, monotonic: () => passed };
    const env = { HOME, AWS_PROFILE: "dev" };
    const source = createOnlineSource({ config: { ...CONFIG, stsEndpoint: aws.url }, env, ...times });
    const first = await source.session();
    passed = 61 * MINUTE_MS;
    const { sessionToken, lifeMsMax } = await source.session();
    expect([sessionToken === first.sessionToken, lifeMsMax]).toEqual([false, 60 * MINUTE_MS]);
  });
}

test("a set that comes again with a later end lives until that", async () => {
  const { give, vend, pass } = start();
  for (let hour = 0; hour < 3; hour += 1) {
    give("ASIAONE");
    expect(await vend()).toBe("ASIAONE");
    pass(61 * MINUTE_MS);
  }
});

test("what had ended by a clock that was ahead is good once that is right", async () => {
  const { give, vend, pass, setClock } = start();
  give("ASIAONE");
  setClock(BACK_MS);
  await expect(vend()).rejects.toThrow("expired at");
  setClock(0);
  pass(5000);
  expect(await vend()).toBe("ASIAONE");
});

test("an instance that did not answer is asked again after a minute, whatever became of the clock", async () => {
  let asked = 0;
  const absent = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(`${asked++}`, { status: 500 }),
  });
  atEnd(() => absent.stop(true));
  let passed = 0;
  const began = Date.now();
  const times = { now: () => began - (passed > 0 ? BACK_MS : 0), monotonic: () => passed };
  const source = createOnlineSource({
    config: CONFIG,
    env: { HOME: home({}), AWS_EC2_METADATA_SERVICE_ENDPOINT: absent.url.origin },
    ...times,
  });
  await expect(source.session()).rejects.toThrow("no AWS identity");
  const first = asked;
  passed = 59_000;
  await expect(source.session()).rejects.toThrow("no AWS identity");
  expect(asked).toBe(first);
  passed = 60_000;
  await expect(source.session()).rejects.toThrow("no AWS identity");
  expect(asked).toBeGreaterThan(first);
});
