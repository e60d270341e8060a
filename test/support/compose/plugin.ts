import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RealEngine } from "../real-engine.ts";
import { describeWhere, prepareCompose, type Tools } from "../tools.ts";

const TASK_NETWORK_WAIT_MS = 120_000;
/** What engines say while another test of this machine has the one network of 169.254.170.0/24. */
const TAKEN = /overlap|already (in )?used?|conflict|already allocated/i;

/** Building it takes three minutes, once. */
const isRequired = process.env.CI === "true" || process.env.FULL === "1";
const composePlugin: Tools = isRequired ? prepareCompose() : { missing: "CI=true or FULL=1 builds Docker Compose" };

/** Tests with the real Docker Compose. */
export function describeCompose(what: string, body: () => void): void {
  describeWhere(what, "missing" in composePlugin ? composePlugin.missing : undefined, body);
}

/** Where `docker-compose` is, for a command's PATH. */
const composeFolder = "folder" in composePlugin ? composePlugin.folder : "/nonexistent";

export interface Member {
  readonly Id: string;
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Podman cannot set its own limits in a sandbox; a project's services have theirs in its file. */
const LIMITS = "limits.yaml";

/** A copy of a project's folder, which Compose starts on an engine. */
export function copyProject(engine: RealEngine, source: string, folder = source.split("/").at(-1) ?? "") {
  const root = mkdtempSync(join(tmpdir(), "cmp-"));
  const directory = join(root, `cmp-${folder}`);
  cpSync(source, directory, { recursive: true });
  mkdirSync(join(root, "home/.aws"), { recursive: true });
  writeFileSync(join(root, LIMITS), "services: { ecs-local-endpoints: { ulimits: { nofile: 1024, nproc: 1024 } } }\n");
  const env = {
    PATH: `${composeFolder}:/usr/bin:/bin`,
    HOME: join(root, "home"),
    DOCKER_HOST: engine.host,
    ECS_LOCAL_OFFLINE: "1",
  };

  function run(command: readonly string[]) {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd: directory, env, timeout: 100_000 });
    return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  function composeOf(files: readonly string[]) {
    const hasServer = files.some((file) =>
      readFileSync(join(directory, file), "utf8").includes("ecs-local-endpoints:\n"),
    );
    const given = [...files, ...(hasServer ? [`../${LIMITS}`] : [])].flatMap((file) => ["-f", file]);
    return (...args: string[]) => run([join(composeFolder, "docker-compose"), ...given, ...args]);
  }

  return {
    directory,
    run,
    /** Starts it; waits while another has the network that a machine can have but once. */
    async up(files: readonly string[]): Promise<void> {
      const compose = composeOf(files);
      const begun = performance.now();
      for (;;) {
        const { exitCode, stderr } = compose("up", "--detach", "--quiet-pull");
        if (exitCode === 0) return;
        compose("down", "--timeout", "0");
        if (!TAKEN.test(stderr) || performance.now() - begun > TASK_NETWORK_WAIT_MS) throw new Error(stderr);
        await Bun.sleep(2_000);
      }
    },
    down(files: readonly string[]): void {
      composeOf(files)("--profile", "*", "down", "--timeout", "0", "--remove-orphans");
      rmSync(root, { recursive: true });
    },
  };
}

/** The running containers of a project. */
export async function membersOf(engine: RealEngine, project: string): Promise<Member[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${project}`] }));
  return (await (await engine.call("GET", `/containers/json?filters=${filters}`)).json()) as Member[];
}
