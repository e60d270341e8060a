import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findIptables, searchPath } from "../../../src/network/iptables.ts";
import { createMachine } from "../../../src/network/machine.ts";
import { createOperations, failed } from "../../../src/network/operations.ts";
import { planRules } from "../../../src/network/plan.ts";
import type { Step } from "../../../src/network/step.ts";

const root = mkdtempSync(join(tmpdir(), "machine-"));
afterAll(() => rmSync(root, { recursive: true }));
const PATH = "/usr/bin:/bin";

/** A folder with programs that are shell scripts. */
function folder(name: string, programs: Record<string, string>): string {
  const path = join(root, name);
  Bun.spawnSync(["mkdir", path]);
  for (const [program, script] of Object.entries(programs)) {
    writeFileSync(join(path, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return path;
}

describe("a command", () => {
  const bin = folder("commands", {
    says: 'echo "on stdout: $*"; echo on stderr >&2; exit 3',
    hangs: "sleep 6",
    // Ended by Ctrl-C twice, as before it has begun.
    interrupted: `echo x >>${root}/tries; [ $(wc -l <${root}/tries) -gt 2 ] || kill -INT $$; echo done`,
    killed: `echo x >>${root}/kills; kill -TERM $$`,
    always: `echo x >>${root}/always; kill -INT $$`,
  });
  const programs = Object.fromEntries(readdirSync(bin).map((name) => [name, join(bin, name)]));
  const machine = createMachine(programs, PATH, 300);

  test("gives its code and all that it said", async () => {
    expect(await machine.run(["says", "a b", "c"])).toEqual({ exitCode: 3, output: "on stderr; on stdout: a b c" });
  });
  test("that hangs is ended at the deadline, and says so", async () => {
    const begun = performance.now();
    expect(await machine.run(["hangs"])).toEqual({ exitCode: 124, output: "it did not end within 0.3 s" });
    expect(performance.now() - begun).toBeLessThan(3_000);
  });
  test("that a terminal's signal ends is run again, but not without end, and no other", async () => {
    expect(await machine.run(["interrupted"])).toEqual({ exitCode: 0, output: "done" });
    expect(await machine.run(["killed"])).toMatchObject({ output: "it was ended by SIGTERM" });
    expect(await machine.run(["always"])).toMatchObject({ output: "it was ended by SIGINT" });
    const lines = ["tries", "kills", "always"].map((name) => readFileSync(join(root, name), "utf8").length / 2);
    expect(lines).toEqual([3, 1, 5]);
  });
  test("that is not there is an error that says what to install", async () => {
    await expect(machine.run(["ip", "address"])).rejects.toThrow(
      expect.objectContaining({ code: "network-failed", hint: expect.stringContaining("iproute2") }) as Error,
    );
  });
});

test("a change that was made before a terminal's signal ended its command is not made again", async () => {
  const rules = join(root, "rules");
  const bin = folder("changes", {
    // The first -A is ended before it has done it, the second after.
    iptables: `case "$5" in
      -C) exec grep -q . ${rules};;
      -A) echo x >>${rules}.tries; [ $(wc -l <${rules}.tries) -gt 1 ] || kill -INT $$; echo rule >>${rules};;
      -D) sed -i 1d ${rules};;
      esac
      kill -HUP $$`,
  });
  writeFileSync(rules, "");
  const { make, takeAway } = createOperations(createMachine({ iptables: `${bin}/iptables` }, PATH));
  const step: Step = { kind: "rule", what: "", table: "nat", chain: "C", rule: ["-j", "DROP"], first: false };
  await make(step);
  expect([readFileSync(rules, "utf8"), readFileSync(`${rules}.tries`, "utf8")]).toEqual(["rule\n", "x\nx\n"]);
  expect(await takeAway(step)).toBeTrue();
  expect(readFileSync(rules, "utf8")).toBe("");
});

describe("iptables", () => {
  const nft = folder("nft", { iptables: "echo 'iptables v1.8.9 (nf_tables)'" });
  const legacy = folder("legacy", { iptables: "echo 'iptables v1.8.9 (legacy)'" });
  const old = folder("old", { iptables: "echo 'iptables v1.6.1'" });
  const both = folder("both", { iptables: "echo 'iptables v1.8.9 (nf_tables)'", "iptables-legacy": "" });

  test("is the one of that name, of the kind that it says", async () => {
    expect(await findIptables(nft, undefined)).toEqual({ program: `${nft}/iptables`, backend: "nf_tables" });
    expect(await findIptables(`${legacy}:${nft}`, undefined)).toMatchObject({ backend: "legacy" });
    expect(await findIptables(old, undefined)).toMatchObject({ backend: "legacy" });
    expect(await findIptables(root, undefined)).toBeUndefined();
  });
  test("that fails to say its kind is taken for none", async () => {
    const broken = folder("broken", { iptables: "echo 'cannot start' >&2; exit 1" });
    expect(findIptables(broken, undefined)).rejects.toThrow("iptables --version failed with 1: cannot start");
  });
  test("is the other one where that made the rules that stand", async () => {
    expect(await findIptables(both, "legacy")).toEqual({ program: `${both}/iptables-legacy`, backend: "legacy" });
    expect(await findIptables(both, "nf_tables")).toEqual({ program: `${both}/iptables`, backend: "nf_tables" });
    expect(await findIptables(nft, "legacy")).toBeUndefined();
  });
  test("is looked for where root alone has it on the PATH", () => {
    expect(searchPath("/a:/b")).toBe("/a:/b:/usr/sbin:/sbin");
    expect(searchPath(undefined)).toBe("/usr/bin:/bin:/usr/sbin:/sbin");
  });
});

describe("an answer of iptables", () => {
  const [step] = planRules(1, []);
  for (const [code, said, hint] of [
    [4, "Fatal: can't open lock file: Permission denied", /root/],
    [3, "can't initialize iptables table `raw': No buffer space available", /modules.*--loopback/],
    [2, "Bad argument", /run this again/],
    [3, "iptables v1.8.9 (nf_tables): Parsing nftables rule failed", /nft -a list ruleset/],
    [1, "iptables v1.8.9 (nf_tables): Failed to initialize nft: Protocol not supported", /modules.*--loopback/],
    [4, "Another app is currently holding the xtables lock.", /^wait until .* run this again$/],
  ] as const) {
    test(`that is ${code}, ${said.slice(0, 20)}, is no "not there", but an error with what to do`, async () => {
      const bin = folder(`answers-${said.length}`, {
        iptables: `echo "${said.replace("`", "\\`")}" >&2; exit ${code}`,
      });
      const { stands } = createOperations(createMachine({ iptables: `${bin}/iptables` }, PATH));
      if (step === undefined) throw new Error("no step");
      await expect(stands(step)).rejects.toThrow(
        expect.objectContaining({
          message: `iptables -w 5 -t raw -S ECS-LOCAL-GUARD failed with ${code}: ${said}`,
          hint: expect.stringMatching(hint),
        }) as Error,
      );
    });
  }
});

test("what iptables says on several lines is one in the error", () => {
  expect(failed(["iptables", "-S"], 3, "can't initialize\n\nPerhaps it needs to be upgraded.").publicMessage).toBe(
    "iptables -S failed with 3: can't initialize Perhaps it needs to be upgraded.",
  );
});

test.skipIf(process.platform !== "linux")("an interface that is not there has no sysctl and no number", () => {
  const machine = createMachine({}, PATH);
  expect([machine.nameOf(1), machine.nameOf(2 ** 31 - 1)]).toEqual(["lo", undefined]);
  expect([machine.routeLocalnet("nope0"), machine.ifindex("nope0")]).toEqual([undefined, undefined]);
  expect([machine.routeLocalnet("lo"), machine.ifindex("lo")]).toEqual([expect.stringMatching(/^[01]$/), 1]);
});
