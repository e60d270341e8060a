import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describeWhere, prepareActionlint } from "../support/tools.ts";

const root = resolve(import.meta.dir, "../..");
const workflows = join(root, ".github/workflows");
const packaging = join(root, "packaging");
const PROGRAM = join(root, "dist/ecs-local-endpoints");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ecs-local-packaging-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, { permissions: unknown; steps: { uses?: string; run?: string }[] }>>;
}

for (const file of readdirSync(workflows)) {
  describe(`the workflow ${file}`, () => {
    const text = Bun.file(join(workflows, file)).text();

    test("may nothing but what each job says, and pins each action by its commit", async () => {
      const { permissions, jobs } = Bun.YAML.parse(await text) as Workflow;
      expect(permissions).toEqual({});
      for (const [name, job] of Object.entries(jobs)) expect(job.permissions, name).toBeObject();
      const uses = [...(await text).matchAll(/uses: (.*)/g)].map(([, action]) => action);
      expect(uses.length).toBeGreaterThan(0);
      for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    });

    test("has no expression inside a script, where its value would be run", async () => {
      for (const { steps } of Object.values((Bun.YAML.parse(await text) as Workflow).jobs)) {
        for (const { run } of steps) expect(run ?? "").not.toContain("${{");
      }
    });
  });
}

test("what may write a release runs nothing of this repository", async () => {
  const { jobs } = Bun.YAML.parse(await Bun.file(join(workflows, "release.yml")).text()) as Workflow;
  for (const [name, { permissions, steps }] of Object.entries(jobs)) {
    const mayWrite = JSON.stringify(permissions).includes("write");
    const text = JSON.stringify(steps);
    expect(text.includes("actions/checkout@") || text.includes("./scripts/"), name).toBe(!mayWrite);
  }
});

describe("before it builds, the release", () => {
  const CHANGELOG = "# Changelog\n\n## Unreleased\n\n- next\n\n## 1.2.3\n\n- this\n\n## 1.2.2\n\n## 1.2.1\n\n- old\n";

  /** Runs the steps that stand before ./scripts/release, as the runner's shell does. */
  async function ask(tag: string, mirror: string) {
    const cwd = mkdtempSync(join(folder, "checkout-"));
    writeFileSync(join(cwd, "CHANGELOG.md"), CHANGELOG);
    const { jobs } = Bun.YAML.parse(await Bun.file(join(workflows, "release.yml")).text()) as Workflow;
    const scripts = (jobs.build?.steps ?? []).map(({ run = "" }) => run);
    const script = scripts.slice(0, scripts.indexOf("./scripts/release")).join("\n");
    const env = { PATH: process.env.PATH, GITHUB_REF_NAME: tag, DEBIAN_MIRROR: mirror };
    const { exitCode, stdout } = Bun.spawnSync(["bash", "-eo", "pipefail", "-c", script], { cwd, env });
    return { exitCode, said: stdout.toString(), notes: await Bun.file(join(cwd, "dist/notes.md")).text() };
  }
  const mirror = "http://mirror.example/debian";

  test("takes the version's part of the changelog as its notes", async () => {
    expect(await ask("v1.2.3", mirror)).toEqual({ exitCode: 0, said: "", notes: "\n- this\n\n" });
  });

  for (const [why, tag] of [
    ["none", "v1.2.4"],
    ["an empty one", "v1.2.2"],
  ] as const) {
    test(`says which section the changelog must have where it has ${why}`, async () => {
      const { exitCode, said } = await ask(tag, mirror);
      expect([exitCode, said]).toEqual([1, `::error::CHANGELOG.md has nothing under '## ${tag.slice(1)}'\n`]);
    });
  }

  test("says which variable the repository must have", async () => {
    const { exitCode, said } = await ask("v1.2.3", "");
    expect([exitCode, said]).toEqual([1, expect.stringContaining("the repository's variable DEBIAN_MIRROR")]);
  });
});

const actionlint = prepareActionlint();
describeWhere("actionlint", "missing" in actionlint ? actionlint.missing : undefined, () => {
  test("finds nothing in the workflows", () => {
    if ("missing" in actionlint) return;
    const files = readdirSync(workflows).map((file) => join(workflows, file));
    const { stdout, stderr } = Bun.spawnSync([join(actionlint.folder, "actionlint"), ...files]);
    expect(`${stdout}${stderr}`).toBe("");
  });
});

const hasNoSystemd = Bun.which("systemd-analyze") ? undefined : "systemd-analyze is not installed";
describeWhere("systemd", hasNoSystemd, () => {
  const unit = () => join(folder, "ecs-local-endpoints@.service");
  beforeAll(async () => {
    const text = await Bun.file(join(packaging, "ecs-local-endpoints@.service")).text();
    // It looks for the program where the unit has it.
    writeFileSync(unit(), text.replace("/usr/local/bin/ecs-local-endpoints", PROGRAM));
  });

  test("finds nothing wrong in the unit", () => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(["systemd-analyze", "verify", "--man=no", unit()]);
    expect([exitCode, `${stdout}${stderr}`]).toEqual([0, ""]);
  });

  test("calls what the unit is exposed to low", () => {
    const { stdout } = Bun.spawnSync(["systemd-analyze", "security", "--offline=true", "--no-pager", unit()]);
    const level = /Overall exposure level for .*: (\d+\.\d)/.exec(stdout.toString())?.[1];
    expect(Number(level)).toBeLessThan(2.5);
  });
});

describeWhere("python3", Bun.which("python3") ? undefined : "python3 is not installed", () => {
  test("reads the property list of launchd", () => {
    const code = "import json,plistlib,sys; print(json.dumps(plistlib.load(open(sys.argv[1],'rb'))))";
    const run = Bun.spawnSync(["python3", "-c", code, join(packaging, "ecs-local-endpoints.plist")]);
    expect(JSON.parse(run.stdout.toString())).toMatchObject({
      Label: "ecs-local-endpoints",
      ProgramArguments: ["/usr/local/bin/ecs-local-endpoints", "serve", "--port", "51679"],
      RunAtLoad: true,
    });
  });
});
