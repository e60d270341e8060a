import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const TOOLS = resolve(import.meta.dir, "../../.tools");
const TIMEOUT_MS = 900_000;

/** A folder with what a client needs, or why there is none. */
export type Tools = { readonly folder: string } | { readonly missing: string };

/** Tests that need what may be missing here: skipped by name with the reason, a failure with `CI=true`. */
export function describeWhere(what: string, missing: string | undefined, body: () => void): void {
  if (missing === undefined) describe(what, body);
  else if (process.env.CI !== "true") describe.skip(`${what} (skipped: ${missing})`, body);
  else test(`${what}, as CI=true requires`, () => expect(missing).toBeUndefined());
}

/**
 * A virtual environment of Python, made when it is missing or the pins have changed.
 *
 * @param name of its folder in .tools
 * @param requirements the file that lists all that is in it
 */
export function preparePython(name: string, requirements: string): Tools {
  const python = Bun.which("python3");
  if (python === null) return { missing: "python3 is not installed" };
  return prepare(name, [requirements], [python, "--version"], (folder) => [
    [python, "-m", "venv", folder],
    // Everything is in the list: what is not must not come in.
    [join(folder, "bin/pip"), "install", "--quiet", "--no-deps", "--requirement", requirements],
  ]);
}

/**
 * What is in a package of Python for another platform, unpacked and not installed.
 *
 * @param requirement one line of a requirements file, with its hash
 */
export function preparePythonPackage(name: string, platform: string, requirement: string): Tools {
  const python = Bun.which("python3");
  if (python === null) return { missing: "python3 is not installed" };
  const file = join(TOOLS, `${name}.txt`);
  mkdirSync(TOOLS, { recursive: true });
  writeFileSync(file, `${requirement}\n`);
  const only = ["--no-deps", "--only-binary=:all:", "--python-version=3.12", `--platform=${platform}`];
  return prepare(name, [file], [python, "--version"], (folder) => [
    [
      python,
      "-m",
      "pip",
      "install",
      "--quiet",
      "--require-hashes",
      ...only,
      `--target=${folder}`,
      `--requirement=${file}`,
    ],
  ]);
}

/** The linter of workflows, of the version that is named here, as the module proxy's checksums have it. */
export function prepareActionlint(): Tools {
  const go = Bun.which("go");
  if (go === null) return { missing: "go is not installed" };
  return prepare("actionlint", [], [go, "version"], (folder) => [
    ["env", `GOBIN=${folder}`, go, "install", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"],
  ]);
}

/**
 * A client in Go, built when it is missing or its source has changed.
 *
 * @param name of its folder in .tools, where it is called `client`
 * @param source the folder of its module
 */
export function prepareGo(name: string, source: string): Tools {
  const go = Bun.which("go");
  if (go === null) return { missing: "go is not installed" };
  const files = ["main.go", "go.mod", "go.sum"].map((name) => join(source, name));
  return prepare(name, files, [go, "version"], (folder) => [
    [go, "-C", source, "build", "-mod=readonly", "-o", join(folder, "client"), "."],
  ]);
}

/** Docker Compose as a program of its own, built of the sources that its release has locked. */
export function prepareCompose(): Tools {
  const go = Bun.which("go");
  if (go === null) return { missing: "go is not installed" };
  const script = join(import.meta.dir, "compose/build");
  return prepare("compose", [script], [go, "version"], (folder) => [["sh", script, folder]]);
}

function prepare(
  name: string,
  files: readonly string[],
  version: readonly string[],
  steps: (folder: string) => string[][],
): Tools {
  const folder = join(TOOLS, name);
  mkdirSync(dirname(folder), { recursive: true });
  return exclusively(`${folder}.lock`, () => prepareFolder(folder, files, version, steps));
}

/** Test files run in several processes, and the first one prepares a client for all. */
function exclusively<T>(lock: string, work: () => T): T {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    }
    const holder = readFileSync(lock, "utf8");
    if (holder !== "" && !existsSync(`/proc/${holder}`)) rmSync(lock, { force: true });
    else Bun.sleepSync(100);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function prepareFolder(
  folder: string,
  files: readonly string[],
  version: readonly string[],
  steps: (folder: string) => string[][],
): Tools {
  const mark = join(folder, "made-of");
  const texts = files.map((file) => readFileSync(file, "utf8"));
  // A virtual environment holds its own path and that of its Python.
  const madeOf = `${Bun.hash([folder, run([...version]).output, ...texts].join("\n"))}\n`;
  if (existsSync(mark) && readFileSync(mark, "utf8") === madeOf) return { folder };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const step of steps(folder)) {
    const { failed, output } = run(step);
    if (failed) return { missing: `${step.slice(0, 3).join(" ")}: ${output.trim().split("\n").at(-1)}` };
  }
  writeFileSync(mark, madeOf);
  return { folder };
}

function run(command: string[]): { failed: boolean; output: string } {
  // Linked to nothing, a client in Go runs in a container that has no library.
  const env = { ...process.env, CGO_ENABLED: "0" };
  const { success, stdout, stderr } = Bun.spawnSync(command, { env, timeout: TIMEOUT_MS });
  return { failed: !success, output: `${stdout}${stderr}` };
}
