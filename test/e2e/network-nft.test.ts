import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { startMachine, whyNoNamespaces } from "../support/netns.ts";

const FOLDER = "/run/ecs-local-endpoints-network";
const UP = "up --bridge ecsbr0";
setDefaultTimeout(20_000);

// Legacy tables are nothing that nft writes to.
const why = whyNoNamespaces("iptables-nft") ?? (Bun.which("nft") === null ? "needs nft" : undefined);
if (why !== undefined && process.env.CI === "true") {
  test("network beside nft, as CI=true requires", () => expect(why).toBeUndefined());
}

describe.skipIf(why !== undefined)(`where nft wrote into a table of iptables${why ? ` (skipped: ${why})` : ""}`, () => {
  let machine: ReturnType<typeof startMachine>;
  const ruleset = () => machine.onMachine("nft -a -s list ruleset").stdout;
  const picture = () => [ruleset(), machine.sysctls(), readFileSync(machine.stateFile, "utf8")];
  const unread = expect.stringMatching(/table `filter' is incompatible.*\nhint: take away what nft put there .*\n$/);

  beforeAll(() => {
    machine = startMachine("iptables-nft");
  });
  afterEach(() => {
    machine.onMachine(`nft flush ruleset; rm -rf ${FOLDER}`);
    machine.sysctl("ecsbr0", 0);
  });
  afterAll(() => machine?.stop());

  for (const [title, before, theirs] of [
    ["another chain, with a rule in ours", "iptables -A ECS-LOCAL-INPUT -s 1.2.3.4 -j ACCEPT", "FORWARD reject"],
    ["our chain", "", "ECS-LOCAL-INPUT ip saddr 1.2.3.4 reject"],
    ["the chain that asks ours", "", "INPUT ct mark 5 counter accept"],
  ] as const) {
    test(`what iptables cannot read of ${title} has each call say so and change nothing`, () => {
      machine.onMachine("iptables -A FORWARD -s 5.5.5.5 -j ACCEPT");
      expect(machine.network(UP).exitCode).toBe(0);
      machine.onMachine(before);
      expect(machine.onMachine(`nft add rule ip filter ${theirs}`)).toMatchObject({ exitCode: 0, stderr: "" });
      const standing = picture();
      for (const action of ["down", "down --print", UP, `${UP} --print`, "up --bridge lan0", "status"]) {
        expect(machine.network(action), action).toMatchObject({ exitCode: 1, stdout: "", stderr: unread });
      }
      expect(picture()).toEqual(standing);
      machine.onMachine(`rm -r ${FOLDER}`);
      expect(machine.network("down")).toMatchObject({ exitCode: 1, stdout: "", stderr: unread });
      expect(ruleset()).toBe(standing[0] ?? "");
    });
  }

  test("a first up refuses as well", () => {
    machine.onMachine("nft add table ip filter; nft add chain ip filter THEIRS; nft add rule ip filter THEIRS reject");
    const theirs = ruleset();
    expect(machine.network(UP)).toMatchObject({ exitCode: 1, stdout: "", stderr: unread });
    expect(ruleset()).toBe(theirs);
  });

  test("down ends right once it is taken away, and what iptables can read is of no account", () => {
    const clean = [machine.rules(), machine.sysctls()];
    machine.network(UP);
    machine.onMachine("nft add chain ip filter THEIRS; nft add rule ip filter THEIRS reject");
    expect(machine.network("down").exitCode).toBe(1);
    machine.onMachine("nft flush chain ip filter THEIRS; nft delete chain ip filter THEIRS");
    machine.onMachine("nft add rule ip filter INPUT ip saddr 1.2.3.4 counter drop; nft add table ip theirs");
    expect(machine.network("down")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(machine.onMachine("iptables -D INPUT -s 1.2.3.4 -j DROP").exitCode).toBe(0);
    expect([machine.rules(), machine.sysctls()]).toEqual(clean);
  });
});
