import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ERRORS_DOCUMENT } from "../support/errors-table.ts";
import { literalsOf } from "../support/literals.ts";

const SOURCE = join(import.meta.dir, "../../src");
/** Commands have documents of their own, and doctor is what starts containers. */
const OF_COMMANDS = /^(commands\/(?!serve\.ts|startup-log\.ts)|network\/|engine\/run-once\.ts)/;
/** What makes the texts of errors and of answers. */
const MAKES_ERRORS = /new AppError\(|problems\.push\(|: NoAnswer\b|new Response\(/;

/** Texts of those files that no error consists of. */
const NO_ERRORS = [
  // Lines of the log.
  "a changed file cannot be used; its former content stays in use",
  "a changed file is used",
  "a container could not be inspected, trying again",
  "a corrected file is used again",
  "a request's body was refused",
  "credentials refused",
  "credentials returned",
  "addresses do not identify containers of this engine: its networks are not on this machine",
  "no contact with the engine",
  "renewal failed",
  "run this program in a container on one of them, or name the container in the path",
  "the engine is silent",
  "watching the engine",
  // What other programs say, or are told.
  "Amazon ECS Agent - v1.105.1 (ecs-local-endpoints)",
  "Podman Engine",
  "no such container",
  // What stands where the document has <...>.
  "2 to 1224 letters, digits and +=,.@:/-_",
  "2 to 64 letters, digits and +=,.@-_",
  "a list of keys of sessionTags",
  "a role cannot be read",
  "an object of up to 50 keys (up to 128 characters) with texts (up to 256)",
  "iam:GetRole failed",
  "instance metadata (",
  "instance metadata, which AWS_EC2_METADATA_DISABLED turns off",
  "its version",
  "no answer in time",
  "no reason given",

  "of HTTPS_PROXY",
  "the keys of the environment",
  "the request failed",
  "they name no profile",
  // Other texts of the files that make errors.
  ", and until an engine is reached the container networks of this one",
  ", or set ECS_LOCAL_REFUSE_GATEWAY=1",
  "; answered are this machine, its running containers and ECS_LOCAL_ALLOWED_NETWORKS",
  "DockerId Name DockerName Image ImageID Ports Labels DesiredStatus KnownStatus ExitCode Limits CreatedAt StartedAt",
  "EC2, FARGATE, EXTERNAL or MANAGED_INSTANCES",
  "FinishedAt Type Networks Health Volumes LogDriver LogOptions ContainerARN Snapshotter RestartCount",
  "a list",
  "a list of one container or more",
  "a list of texts",
  "a name of up to 255 letters, digits, - and _",
  "a task definition was taken for a task that another one fits as well",
  "a text, as ECS has it of a task",
  "a whole number of CPU units, 1024 to a vCPU",
  "a whole number of MiB",
  "an object of texts",
  "an object with a command",
  "an object with a logDriver",
  "an object with a name",
  "an object with enabled",
  "awsvpc, bridge, host, none or default",
  "credentials are returned for this identity",
  "credentials failed unexpectedly",
  "it answered",
  "it answered no credentials",
  "it answered with status",
  "it names no role",
  "its address is not a URL of http or https",
  "label the task's containers with",
  "publish it with -p 127.0.0.1:",
  "so does",
  "the body is not JSON",
  "the name of a log driver",
  "the port is published beyond this machine, and callers from there look like this machine",
  "there are no credentials to return yet",
  "this machine and",
  "this machine only",
  "this machine, and whatever is routed here",
  "true or false",
];

async function sentencesOf(path: string): Promise<readonly string[]> {
  const source = await Bun.file(join(SOURCE, path)).text();
  if (OF_COMMANDS.test(path) || !MAKES_ERRORS.test(source)) return [];
  return literalsOf(source)
    .map((text) => text.trim())
    .filter((text) => /[a-z]+ [a-z]+/i.test(text));
}

test("every sentence of an error stands in docs/errors.md", async () => {
  const paths = [...new Bun.Glob("**/*.ts").scanSync(SOURCE)];
  const sentences = new Set((await Promise.all(paths.map(sentencesOf))).flat());
  expect(sentences.size).toBeGreaterThan(300);
  const lacking = [...sentences].filter((text) => !ERRORS_DOCUMENT.includes(text));
  expect(lacking.sort()).toEqual(NO_ERRORS.toSorted());
});

describe("the texts of a source", () => {
  for (const [source, texts] of [
    ["f(\"a b\", 'c')", ["a b", "c"]],
    ["`a §{b} c`", ["a ", " c"]],
    ['`a §{b ? `x §{y}` : "z"} c`', ["a ", "x ", "", "z", " c"]],
    ["`a §{f({ b: 1 })} c`", ["a ", " c"]],
    ['// "no"\n/* `no` */ "yes"', ["yes"]],
    [String.raw`x = /["'${"`"}]\/[/"]/.test("yes")`, ["yes"]],
    [String.raw`"a \"b\""`, ['a "b"']],
  ] as const) {
    // A dollar in a text that is not a template looks like a slip.
    const written = source.replaceAll("§", "$");
    test(written, () => {
      expect(literalsOf(written)).toEqual([...texts]);
    });
  }
});
