import { afterEach, expect, test } from "bun:test";
import { createOnlineSource } from "../../src/aws/lazy-source.ts";
import { createVendor } from "../../src/credentials/vendor.ts";
import { atEnd, endAll, home, startIdentity } from "../support/credential-server.ts";
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
  const source = createOnlineSource({ config: CONFIG, env, now });
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

test("the same keys with a later expiration are valid until then", async () => {
  const { give, vend, pass } = start();
  for (let hour = 0; hour < 3; hour += 1) {
    give("ASIAONE");
    expect(await vend()).toBe("ASIAONE");
    pass(61 * MINUTE_MS);
  }
});

test("credentials that expired by a fast clock are valid once it is right", async () => {
  const { give, vend, pass, setClock } = start();
  give("ASIAONE");
  setClock(BACK_MS);
  await expect(vend()).rejects.toThrow("expired at");
  setClock(0);
  pass(5000);
  expect(await vend()).toBe("ASIAONE");
});
