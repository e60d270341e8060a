import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runBinary } from "../support/binary.ts";

const BINARY = join(import.meta.dir, "../../dist/ecs-local-endpoints");
const root = mkdtempSync(join(tmpdir(), "cmp-commands-"));
afterAll(() => rmSync(root, { recursive: true }));
writeFileSync(join(root, "compose.yaml"), "services: { app: { image: x } }\n");
const file = join(root, "compose.yaml");
/** A `docker compose config` that has one service; e2e/compose.test.ts runs the real one. */
const answer = `case "$*" in *version*) echo 2.40.3;; *) echo '{"name":"p","services":{"app":{"image":"x"}}}';; esac`;
writeFileSync(join(root, "docker"), `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
const COMPOSE = { PATH: `${root}:/usr/bin:/bin` };

test("env has the variables alone on stdout, and the rest on stderr", () => {
  const { exitCode, stdout, stderr } = runBinary([
    "env",
    "--address",
    "10.1.2.3",
    "--role",
    "app",
    "--format",
    "dotenv",
  ]);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(
    [
      "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://10.1.2.3/role/app",
      "ECS_CONTAINER_METADATA_URI=http://10.1.2.3/v3",
      "ECS_CONTAINER_METADATA_URI_V4=http://10.1.2.3/v4",
      "ECS_AGENT_URI=http://10.1.2.3/api",
      "",
    ].join("\n"),
  );
  expect(stderr).toMatch(/^ecs-local-endpoints: warning: most SDKs refuse http:\/\/10\.1\.2\.3 .*\n$/);
});

test("compose writes beside the file that it is given, and says so on stderr alone", () => {
  const { exitCode, stdout, stderr } = runBinary(["compose", file], COMPOSE);
  expect([exitCode, stdout]).toEqual([0, ""]);
  expect(stderr).toMatch(
    /^ecs-local-endpoints: wrote .*compose\.ecs-local\.yaml\n(.*\n)*hint: docker compose -f .* up\n/,
  );
  expect(readdirSync(root)).toContain("compose.ecs-local.yaml");
  expect(runBinary(["compose", file, "--output", "-"], COMPOSE).stdout).toBe(
    readFileSync(join(root, "compose.ecs-local.yaml"), "utf8"),
  );
});

test("compose says what README.md and docs/compose.md show", () => {
  const folder = join(root, "shown");
  mkdirSync(join(folder, ".aws"), { recursive: true });
  writeFileSync(join(folder, "compose.yaml"), "services: { app: { image: x } }\n");
  const said = runBinary(["compose"], { HOME: folder, ...COMPOSE }, ["/usr/bin/env", "-C", folder])
    .stderr.trimEnd()
    .split("\n");
  for (const page of ["README.md", "docs/compose.md"]) {
    const text = readFileSync(join(import.meta.dir, "../..", page), "utf8");
    const shown = text
      .slice(text.indexOf("$ ecs-local-endpoints compose\n"))
      .split("\n")
      .slice(1, 1 + said.length);
    expect(shown.map((line) => line.trim())).toEqual(said);
  }
});

test("what fails is one line with a hint, and 1", () => {
  const empty = mkdtempSync(join(tmpdir(), "cmp-commands-empty-"));
  const { exitCode, stdout, stderr } = runBinary(["compose", "--project-directory", empty]);
  rmSync(empty, { recursive: true });
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toBe(
    `ecs-local-endpoints: ${empty} and its parents have no compose.yaml\nhint: name the project's files: ecs-local-endpoints compose FILE...\n`,
  );
});

describe("a result that cannot be written", () => {
  // Without an engine doctor has a problem to tell, and ends with 1.
  const env = { PATH: "/usr/bin:/bin", DOCKER_HOST: "unix:///nonexistent/docker.sock" };
  const shell = (line: string) => Bun.spawnSync(["bash", "-c", `set -o pipefail; ${line}`, BINARY], { env });
  for (const args of ["env", "--help", "doctor --offline"]) {
    test(`is one line and 1 for '${args}'`, () => {
      const { exitCode, stderr } = shell(`"$0" ${args} >/dev/full`);
      expect([exitCode, stderr.toString()]).toEqual([
        1,
        "ecs-local-endpoints: the result cannot be written (ENOSPC)\n",
      ]);
    });
    test(`without a reader does not change the exit code of '${args}'`, () => {
      const read = shell(`"$0" ${args} >/dev/null`);
      // Of what reads by a pipe, this has left before anything is written.
      const { exitCode, stderr } = shell(`{ sleep 0.1; "$0" ${args}; } | true`);
      expect([exitCode, stderr.toString()]).toEqual([read.exitCode, ""]);
    });
  }
  test("what is to be said on a stderr that takes nothing ends nothing", () => {
    const { exitCode, stdout } = shell('"$0" env --address 10.1.2.3 2>/dev/full');
    expect([exitCode, stdout.includes("http://10.1.2.3/creds")]).toEqual([0, true]);
    for (const args of ["nope", "env --format xml", "--port x"])
      expect(shell(`"$0" ${args} 2>/dev/full`).exitCode).toBe(2);
  });
});

for (const args of [
  ["env", "--format", "xml"],
  ["env", "--adress", "127.0.0.1"],
  ["env", "too", "many"],
  ["compose", file, "--role", "missing=app"],
  ["compose", file, "--role", "app"],
  ["compose", "--server", "--join"],
  ["compose", file, "--image", ""],
  ["compose", file, "--socket", ""],
  ["compose", file, "--socket", "run/docker.sock"],
  ["doctor", "--offline", "--start-containers", "--image", "../../containers/json?x"],
  ["doctor", "--offline", "--start-containers", "--image", ""],
]) {
  test(`the wrong usage '${args.filter((arg) => arg !== file).join(" ")}' is 2, with nothing on stdout`, () => {
    const { exitCode, stdout, stderr } = runBinary(args, COMPOSE);
    expect([exitCode, stdout]).toEqual([2, ""]);
    // The error, what was perhaps meant, the hint.
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(3);
  });
}
