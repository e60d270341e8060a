import { afterAll, describe, expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watchFiles } from "../../src/config/watched-files.ts";
import type { AppError } from "../../src/errors.ts";
import { messagePattern, testRows } from "../support/errors-table.ts";
import { folder } from "../support/folder.ts";
import { freePort } from "../support/free-port.ts";
import { note, secretsOf } from "../support/secrets.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const canDropPrivileges = process.getuid?.() !== 0 || Bun.which("setpriv") !== null;
/** Containers are often given every port. */
const FIRST_FREE = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
const isPort80Free = existsSync(FIRST_FREE) && Number(readFileSync(FIRST_FREE, "utf8")) <= 80;

/** How a start ended. Each problem has a line of its own, and the remedy is of all of them. */
interface Ended {
  readonly code: number;
  readonly problems: readonly string[];
  readonly hint: string | undefined;
}
type Case = () => Ended | Promise<Ended>;

const files = folder("errors-start");
afterAll(files.remove);

function start(env: Record<string, string>, by: readonly string[] = []): Ended {
  secretsOf(env);
  const usual = { HOME: files.path, PATH: process.env.PATH ?? "", DOCKER_HOST: "unix:///nonexistent.sock" };
  const port = { ECS_LOCAL_METADATA_PORT: String(freePort()) };
  const command = [...by, process.execPath, "--no-env-file", MAIN];
  const run = Bun.spawnSync(command, { env: { ...usual, ...port, ...env }, stdout: "ignore", timeout: 10_000 });
  const lines = note(run.stderr.toString()).trimEnd().split("\n");
  const [own, hint] = ["ecs-local-endpoints: ", "hint: "].map((prefix) =>
    lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length)),
  );
  return { code: run.exitCode, problems: own ?? [], hint: hint?.[0] };
}

const taken: Case = () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const ended = start({ ECS_LOCAL_METADATA_PORT: String(server.port) });
  server.stop(true);
  return ended;
};
const forbidden: Case = () => {
  const unprivileged = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-net_bind_service"] : [];
  return start({ ECS_LOCAL_METADATA_PORT: "80" }, unprivileged);
};

/** Starts once with all that goes into one start: every problem is said. */
const once = (env: () => Record<string, string>): Case => {
  let ended: Ended | undefined;
  return () => {
    ended ??= start(env());
    return ended;
  };
};
const wrongValues = once(() => ({
  ECS_LOCAL_LOG_LEVEL: "loud",
  ECS_LOCAL_OFFLINE: "maybe",
  ECS_LOCAL_METADATA_PORT: "http",
  ECS_LOCAL_BIND_ADDRESS: "127.0.0",
  ECS_LOCAL_USE_TASK_ROLE: "1",
  DOCKER_HOST: "ssh://me@far",
  DOCKER_API_VERSION: "new",
  ECS_LOCAL_AUTH_TOKEN: "not-ascii-ä",
  ECS_LOCAL_AUTH_TOKEN_FILE: "/token",
  ECS_LOCAL_ALLOWED_HOSTS: "http://metadata.corp",
  ECS_LOCAL_ALLOWED_NETWORKS: "10.0.0.0/64",
  ECS_TASK_METADATA_RPS_LIMIT: "40",
  STS_ENDPOINT: "localstack:4566",
  ECS_LOCAL_SESSION_DURATION: "1h",
  SHARED_TOKEN_EXPIRATION: "soon",
  TASK_CPU: "1",
  TASK_MEMORY: "much",
  TASK_TAGS: "team",
  CONTAINER_INSTANCE_TAGS: "{",
}));
const context = (host: string | undefined): Case => {
  return () => {
    const folder = new Bun.CryptoHasher("sha256").update("far").digest("hex");
    const meta = join(files.path, "docker/contexts/meta", folder);
    mkdirSync(meta, { recursive: true });
    writeFileSync(join(meta, "meta.json"), JSON.stringify({ Endpoints: { docker: { Host: host } } }));
    return start({ DOCKER_HOST: "", DOCKER_CONFIG: join(files.path, "docker"), DOCKER_CONTEXT: "far" });
  };
};
const tags = (value: string): Case => once(() => ({ TASK_TAGS: value }));

const overridden = (content: string | Buffer, variable = "TASK_METADATA_PATH"): Case => {
  return async () => {
    const path = join(files.path, "override.json");
    await Bun.write(path, content);
    return start({ [variable]: path });
  };
};
/** No UTF-8. */
const UTF_16 = Buffer.from([0xff, 0xfe, 0x7b, 0]);
const defined = (definition: object): Case => {
  return () => start({ ECS_LOCAL_TASK_DEFINITION: files.write("task.json", definition), ECS_LOCAL_USE_TASK_ROLE: "1" });
};
const wrongDefinition = once(() => {
  const containers = [{ name: "web" }, { name: "web" }];
  const definition = { family: "shop", cpu: "1", memory: "much", taskRoleArn: "a b", containerDefinitions: containers };
  return { ECS_LOCAL_TASK_DEFINITION: files.write("all.json", definition), ECS_LOCAL_USE_TASK_ROLE: "1" };
});
const roles = (content: unknown): Case => {
  return () => start({ ECS_LOCAL_ROLES: files.write("roles.json", content) });
};
const token = (content: string): Case => {
  return () => start({ ECS_LOCAL_AUTH_TOKEN_FILE: files.write("token", content) });
};
const authorities = (content: string): Case => {
  return () => start({ AWS_CA_BUNDLE: files.write("ca.pem", content) });
};
/** An unexpected error is not an AppError. */
const unforeseen: Case = () => {
  const read = () => {
    throw new TypeError("a fault of our own");
  };
  try {
    watchFiles([{ variable: "TASK_METADATA_PATH", path: "task.json", read }], { ...console, warning() {}, flush() {} });
    return { code: 0, problems: [], hint: undefined };
  } catch (error) {
    return { code: 2, problems: [(error as AppError).publicMessage], hint: undefined };
  }
};

const CASES: Readonly<Record<string, Case>> = {
  "another program has the port": taken,
  "ports below 1024 are root's": forbidden,
  "the address is another machine's": () => start({ ECS_LOCAL_BIND_ADDRESS: "203.0.113.1" }),
  "the address is an unknown name": () => start({ ECS_LOCAL_BIND_ADDRESS: "nowhere.invalid" }),

  "a choice that there is not": wrongValues,
  "a switch that is neither on nor off": wrongValues,
  "not a port": wrongValues,
  "not an address to listen on": wrongValues,
  "task roles without a task definition": wrongValues,
  "not an address of an engine; `ssh://` and `npipe://` are not spoken": wrongValues,
  "DOCKER_CONTEXT or the docker command's current context does not exist, or its file is broken": context(undefined),
  "the docker command's current context names an address of another kind, such as ssh": context("ssh://me@far"),
  "not a version": wrongValues,
  "two tokens": wrongValues,
  "a token that no header can carry": wrongValues,
  "not the name of a host": wrongValues,
  "not a network": wrongValues,
  "not a rate": wrongValues,
  "not a URL": wrongValues,
  "not a duration that STS takes": wrongValues,
  "not a time": wrongValues,
  "not an amount of CPU": wrongValues,
  "not an amount of memory": wrongValues,
  "tags that are not pairs": wrongValues,
  "tags that are no JSON": wrongValues,
  "tags that lack a key": tags('[{"value":"shop"}]'),
  "tags that are not text": tags('{"team":7}'),
  "tags that are given twice": tags("team=shop,team=blog"),

  "the path is a folder, a pipe or a device": () => start({ TASK_METADATA_PATH: "/dev/zero" }),
  "the file is too large": overridden(" ".repeat(4 * 1024 * 1024 + 1)),
  "the file is missing, or may not be read by this user; in a container it must be mounted": () =>
    start({ CONTAINER_METADATA_PATH: "/nonexistent.json" }),
  "the file is in another encoding": overridden(UTF_16),
  "the file is not JSON": overridden('{"a": 1,}'),
  "the file is JSON of another kind": overridden("[]"),
  "an override of thousands of levels": overridden(`${'{"a":'.repeat(60_000)}1${"}".repeat(60_000)}`),
  "the file failed unexpectedly": unforeseen,
  "a task definition that lacks something": defined({ containerDefinitions: [{ name: "web" }] }),
  "a task definition with a wrong value": defined({ family: "s h", containerDefinitions: [{ name: "web" }] }),
  "a task definition with a wrong cpu": wrongDefinition,
  "a task definition with a wrong memory": wrongDefinition,
  "a task definition with two containers of one name": wrongDefinition,
  "a task definition whose role is none, if `/creds` returns it": wrongDefinition,
  "roles: the file is missing or may not be read by this user": () =>
    start({ ECS_LOCAL_ROLES: join(files.path, "none") }),
  "roles: the file is not JSON": roles("{"),
  "roles: the file is in another encoding": overridden(UTF_16, "ECS_LOCAL_ROLES"),
  "roles: the file is JSON of another kind": roles([]),
  "roles: a key is not a role": roles({ "a b": {} }),
  "roles: what a role has is not an object": roles({ app: 1 }),
  "roles: a field that there is not": roles({ app: { externalID: "x" } }),
  "roles: a wrong value": roles({ app: { durationSeconds: 1 } }),
  "roles: a key of transitiveTagKeys that is not a tag": roles({ app: { transitiveTagKeys: ["team"] } }),
  "token: the file is missing or may not be read by this user": () =>
    start({ ECS_LOCAL_AUTH_TOKEN_FILE: "/nonexistent" }),
  "token: the file is empty, or holds more than a token": token("two\nlines"),
  "authorities: the file is missing or may not be read by this user": () => start({ SSL_CERT_FILE: "/nonexistent" }),
  "authorities: the file holds none, as one in the form DER": authorities("none"),
  "authorities: one in the file is damaged": authorities(
    "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----",
  ),
};

describe("each row of docs/errors.md is how a start ends:", () => {
  testRows(
    ["A start that fails"],
    CASES,
    async (row, provoke) => {
      const { code, problems, hint } = await provoke();
      const texts = problems.map((line) => (hint === undefined ? line : `${line}; ${hint}`));
      expect(texts).toContainEqual(expect.stringMatching(messagePattern(row)));
      expect(code).toBe(row.statuses[0] ?? 0);
    },
    ({ why }) => {
      if (!why.startsWith("ports below")) return undefined;
      return isPort80Free ? "port 80 is anybody's here" : canDropPrivileges ? undefined : "needs setpriv";
    },
  );
});
