import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WRITTEN_BY } from "../../../../src/commands/compose/find-files.ts";
import type { ComposeOptions } from "../../../../src/commands/compose/options.ts";
import { engineSocket } from "../../../../src/commands/compose/server-service.ts";
import { compose } from "../../../../src/commands/compose.ts";
import { secret } from "../../../support/secrets.ts";

const root = mkdtempSync(join(tmpdir(), "cmp-unit-"));
mkdirSync(join(root, "home/.aws"), { recursive: true });
afterAll(() => rmSync(root, { recursive: true }));

const WRITTEN = "compose.ecs-local.yaml";
const STANDARD = {
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/creds",
  ECS_CONTAINER_METADATA_URI: "http://169.254.170.2/v3",
  ECS_CONTAINER_METADATA_URI_V4: "http://169.254.170.2/v4",
  ECS_AGENT_URI: "http://169.254.170.2/api",
};

interface Written {
  services: Record<string, { environment?: Record<string, string>; networks?: object; [key: string]: unknown }>;
  networks: Record<string, object | null>;
}

let folders = 0;

/** A `docker` that runs this shell script for everything but `compose version`, and keeps its arguments in `asked`. */
function plugin(script: string): string {
  const folder = mkdtempSync(join(root, "plugin-"));
  const text = `#!/bin/sh\necho "$@" >>${folder}/asked\ncase "$*" in "compose version --short") echo 2.40.3;; *) ${script};; esac\n`;
  writeFileSync(join(folder, "docker"), text);
  chmodSync(join(folder, "docker"), 0o755);
  return folder;
}

/** A folder with a compose.yaml, and a plugin that prints this project. */
function projectOf(services: object, networks: object = {}) {
  const cwd = join(root, `p${++folders}`);
  mkdirSync(cwd);
  writeFileSync(join(cwd, "compose.yaml"), "services: {}\n");
  writeFileSync(join(cwd, "project.json"), JSON.stringify({ name: "shop", services, networks }));
  return { cwd, PATH: `${plugin(`cat '${cwd}/project.json'`)}:/bin:/usr/bin` };
}

function runIn(
  { cwd, PATH }: { cwd: string; PATH: string },
  options: ComposeOptions = {},
  { given = [], from = cwd, ...env }: { given?: string[]; from?: string; [name: string]: unknown } = {},
) {
  const environment = { HOME: join(root, "home"), PATH, ...(env as Record<string, string>) };
  const { stdout, stderr } = compose(given, { output: "-", ...options }, environment, { cwd: from, platform: "linux" });
  const text = stdout.join("");
  return { cwd, text, stderr, file: Bun.YAML.parse(text) as Written };
}

const run = (services: object, options: ComposeOptions = {}, env = {}, networks = {}) =>
  runIn(projectOf(services, networks), options, env);
const warnings = (stderr: readonly string[]) => stderr.filter((line) => line.startsWith("warning:"));

test("a service gets the variables, the network next to its own networks, and a server that starts first", () => {
  const { file, stderr, text } = run({ app: {}, web: { networks: { front: null, back: null } } });
  expect(file.services.app).toEqual({
    environment: STANDARD,
    networks: { default: {}, "ecs-local": { priority: -1 } },
    depends_on: { "ecs-local-endpoints": { condition: "service_started" } },
  });
  expect(Object.keys(file.services.web?.networks ?? {})).toEqual(["back", "front", "ecs-local"]);
  expect(file.services["ecs-local-endpoints"]).toMatchObject({
    image: "ecs-local-endpoints:dev",
    volumes: ["/var/run/docker.sock:/var/run/docker.sock", "~/.aws:/home/.aws:ro"],
    networks: { "ecs-local": { ipv4_address: "169.254.170.2" }, "ecs-local-aws": {} },
  });
  expect(file.networks["ecs-local"]).toMatchObject({ name: "ecs-local", internal: true });
  expect(stderr).toContain("hint: docker compose -f compose.yaml -f compose.ecs-local.yaml up");
  expect(text).toContain("#   docker compose -f compose.yaml -f compose.ecs-local.yaml up\n");
});

test("settings that SDKs use before the endpoint are warned about and noted in the file", () => {
  const { stderr, text } = run({
    billing: { volumes: [{ type: "bind", source: "/x", target: "/root/.aws" }] },
    worker: { environment: { AWS_ACCESS_KEY_ID: "x" } },
  });
  expect(warnings(stderr)).toEqual([
    "warning: service 'billing' has a volume at /root/.aws, which SDKs use instead: remove it",
    "warning: service 'worker' has AWS_ACCESS_KEY_ID, which SDKs use instead: remove it",
  ]);
  expect(text).toContain("  # worker has AWS_ACCESS_KEY_ID, which SDKs use instead: remove it\n");
});

describe("variables that a service sets", () => {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: _, ...metadata } = STANDARD;
  const of = (environment: object, options: ComposeOptions = {}, env = {}) =>
    run({ a: { environment } }, options, env).file.services.a?.environment;

  test("are kept", () => {
    expect(of({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/role/x" })).toEqual(metadata);
  });
  test("never lead to two variables for credentials", () => {
    expect(of({ AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1/creds" })).toEqual(metadata);
    expect(() => of({ AWS_CONTAINER_CREDENTIALS_FULL_URI: "x" }, { role: ["a=r"] })).toThrow(/--role.*'a'.*FULL_URI/);
  });
  test("are replaced by a role that is asked for", () => {
    const role = of({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/creds" }, { role: ["a=team/app"] });
    expect(role).toEqual({ ...STANDARD, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/role/team/app" });
  });
  test("keep the region of the shell out under either name", () => {
    const env = { AWS_REGION: "eu-west-1" };
    expect(of({}, {}, env)).toEqual({ ...STANDARD, AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "eu-west-1" });
    expect(of({ AWS_DEFAULT_REGION: "us-east-2" }, {}, env)).toEqual(STANDARD);
  });
});

describe("network_mode", () => {
  const named = (name: string) => ({
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/creds",
    ECS_CONTAINER_METADATA_URI: `http://169.254.170.2/v3/containers/${name}`,
    ECS_CONTAINER_METADATA_URI_V4: `http://169.254.170.2/v4/containers/${name}`,
    ECS_AGENT_URI: `http://169.254.170.2/api/${name}`,
  });
  test("host: the metadata paths name the container", () => {
    const { file } = run({ a: { network_mode: "host" }, b: { network_mode: "host", container_name: "edge-b" } });
    expect(file.services.a).toMatchObject({ environment: named("shop-a-1") });
    expect(file.services.b).toMatchObject({ environment: named("edge-b") });
    expect(file.services.a?.networks).toBeUndefined();
  });
  test("host with several containers: all get the metadata of the first, with a warning", () => {
    for (const count of [{ scale: 3 }, { deploy: { replicas: 3 } }]) {
      const { stderr } = run({ a: { network_mode: "host", ...count }, b: count });
      expect(warnings(stderr)).toEqual([
        "warning: service 'a' has 3 containers, which all get the metadata of shop-a-1",
      ]);
    }
  });
  test("none: the service gets nothing, with a warning", () => {
    const { file, text, stderr } = run({ sealed: { network_mode: "none" } }, { join: true });
    expect(file.services).toEqual({});
    expect(text).toContain("  # sealed has no network and gets nothing\n");
    expect(stderr).toContain("warning: service 'sealed' has no network and gets nothing");
  });
  test("container: gets the variables and the command that connects the container, quoted for a shell", () => {
    const { file, stderr } = run({ a: { network_mode: "container:x;touch $(y)" } });
    expect(file.services.a?.environment).toMatchObject({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/creds" });
    expect(stderr.join()).toContain("run docker network connect ecs-local 'x;touch $(y)'");
  });
  test("container: of another service needs no command", () => {
    const { text, stderr } = run({ a: { network_mode: "container:zz" }, b: { container_name: "zz" } });
    expect(text).toContain("# a has the network of container zz: its metadata paths need its own container's name\n");
    expect(warnings(stderr)).toEqual([]);
  });
  test("service: gets nothing if the other one has no network", () => {
    const { file, text } = run({ a: { network_mode: "service:b" }, b: { network_mode: "none" } });
    expect(Object.keys(file.services)).toEqual(["ecs-local-endpoints"]);
    expect(text).toContain("# a has the network of service b, which has no network and gets nothing");
  });
  test("service: a chain is followed to its end, and a ring has none", () => {
    const chain = run({ a: { network_mode: "service:b" }, b: { network_mode: "service:c" }, c: {} });
    expect(chain.text).toContain("# a has the network of service b: its metadata paths need its own container's name");
    const ring = run({ a: { network_mode: "service:b" }, b: { network_mode: "service:a" } });
    expect(Object.keys(ring.file.services)).toEqual(["ecs-local-endpoints"]);
  });
  test("any other excludes networks, and a role for it is refused", () => {
    for (const network_mode of ["bridge", "service:missing"]) {
      const { stderr } = run({ a: { network_mode } });
      expect(stderr.join()).toContain(`'a' has network_mode '${network_mode}', which excludes networks`);
      expect(() => run({ a: { network_mode } }, { role: ["a=r"] })).toThrow(/--role: service 'a'/);
    }
  });
});

describe("options", () => {
  for (const [role, words] of [
    ["app", "--role is 'app', which is not SERVICE=ROLE"],
    ["=app", "which is not SERVICE=ROLE"],
    ["app=", "which is not SERVICE=ROLE"],
    ["other=x", "--role names the service 'other', but the services are app"],
    ["app=two words", '"two words" is not a role'],
    ["app=../creds", "--role is '../creds', which is not a role"],
  ] as const) {
    test(`--role ${role} is refused`, () => expect(() => run({ app: {} }, { role: [role] })).toThrow(words));
  }
  test("--role: a service has one role, whose name may contain =", () => {
    expect(() => run({ app: {} }, { role: ["app=a", "app=b"] })).toThrow("gives the service 'app' two roles");
    const { file } = run({ app: {} }, { role: ["app=a=b"] });
    expect(file.services.app?.environment?.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI).toBe("/role/a=b");
  });
  test("--join writes no server and uses the existing network", () => {
    const { file, text } = run({ app: {} }, { join: true });
    expect(Object.keys(file.services)).toEqual(["app"]);
    expect(file.services.app?.depends_on).toBeUndefined();
    expect(file.networks).toEqual({ default: {}, "ecs-local": { external: true, name: "ecs-local" } });
    expect(text).toContain("first: docker compose -p ecs-local-endpoints -f ecs-local-endpoints.yaml up -d\n");
  });
  test("--server writes a project of its own without reading one or running Compose", () => {
    const { file } = runIn(
      { cwd: root, PATH: "/nonexistent" },
      { server: true, image: "mine:1", socket: "/run/x.sock" },
    );
    expect(file).toMatchObject({ name: "ecs-local-endpoints" });
    const server = file.services["ecs-local-endpoints"];
    expect(server).toMatchObject({ image: "mine:1", restart: "unless-stopped" });
    expect(server?.volumes).toContain("/run/x.sock:/var/run/docker.sock");
  });
  for (const [options, words] of [
    [{ server: true, join: true }, "--server cannot be combined with --join: it is a project of its own"],
    [{ server: true, role: ["app=r"] }, "--server cannot be combined with --role: it is a project of its own"],
    [{ server: true, file: ["compose.yaml"] }, "--server cannot be combined with FILE: it is a project of its own"],
    [
      { server: true, projectDirectory: "." },
      "--server cannot be combined with --project-directory: it is a project of its own",
    ],
    [{ join: true, socket: "/x" }, "--join cannot be combined with --socket: it writes no server"],
    [{ join: true, offline: true }, "--join cannot be combined with --offline: it writes no server"],
    [{ image: "a b" }, "--image is 'a b', which is not an image name"],
    [{ socket: "a:b" }, "--socket is 'a:b', which is not an absolute path without a colon"],
    [{ output: "" }, "--output is empty"],
  ] as const) {
    test(words, () => {
      expect(() => run({ app: {} }, options)).toThrow(
        expect.objectContaining({ code: "bad-configuration", message: words }),
      );
    });
  }
});

describe("the server", () => {
  const serverOf = (options: ComposeOptions, env = {}) => {
    const { file, stderr, text } = run({ app: {} }, options, env);
    const { environment, volumes } = file.services["ecs-local-endpoints"] ?? {};
    return { environment, volumes, stderr: stderr.join("\n"), text };
  };
  test("serves dummy credentials with --offline, whatever the shell says", () => {
    expect(serverOf({}).environment).toMatchObject({ ECS_LOCAL_OFFLINE: null });
    expect(serverOf({ offline: true }).environment).toMatchObject({ ECS_LOCAL_OFFLINE: "1" });
  });
  test("without ~/.aws gets no mount, and needs another identity unless it is offline", () => {
    const HOME = "/nonexistent";
    expect(serverOf({}, { HOME }).volumes).toEqual(["/var/run/docker.sock:/var/run/docker.sock"]);
    for (const off of ["", "0", "nonsense"]) {
      expect(serverOf({}, { HOME, ECS_LOCAL_OFFLINE: off }).stderr).toContain("there is no ~/.aws");
    }
    for (const on of ["1", " Yes"])
      expect(serverOf({}, { HOME, ECS_LOCAL_OFFLINE: on }).stderr).not.toContain("~/.aws");
    expect(serverOf({ offline: true }, { HOME }).stderr).not.toContain("~/.aws");
  });
  test("gets the shell's keys by name only", () => {
    const value = secret("Zq3vXk9rT5");
    const { environment, text, stderr } = serverOf({}, { HOME: "/nonexistent", AWS_ACCESS_KEY_ID: value });
    const keys = { AWS_ACCESS_KEY_ID: null, AWS_SECRET_ACCESS_KEY: null, AWS_SESSION_TOKEN: null };
    expect(environment).toMatchObject(keys);
    expect(`${text}${stderr}`).not.toContain(value);
  });
  test("has the development image unless --image names another", () => {
    const hint = "hint: its image ecs-local-endpoints:dev is built by ./scripts/image; use --image for another";
    expect(serverOf({}).stderr).toContain(hint);
    expect(serverOf({ image: "registry.example:5000/a/b:1" }).stderr).not.toContain("scripts/image");
  });
  test("mounts the engine's socket as the engine's machine names it", () => {
    const socket = (DOCKER_HOST: string, platform = "linux") => engineSocket({ DOCKER_HOST }, platform);
    expect(socket("unix:///run/user/1000/docker.sock")).toBe("/run/user/1000/docker.sock");
    for (const desktop of ["/home/me/.docker/desktop/docker.sock", "/home/me/.rd/docker.sock"]) {
      expect(socket(`unix://${desktop}`)).toBe("/var/run/docker.sock");
    }
    expect(socket("unix:///Users/me/.colima/default/docker.sock", "darwin")).toBe("/var/run/docker.sock");
    expect(socket("unix:///home/me/.docker/run/docker.sock")).toBe("/home/me/.docker/run/docker.sock");
    expect(socket("tcp://127.0.0.1:2375")).toBe("/var/run/docker.sock");
    expect(() => socket("unix:///tmp/a:b.sock")).toThrow("the engine's socket is /tmp/a:b.sock, and no volume can");
  });
  test("gets a warning for a --socket that is not one on the engine's machine", () => {
    const at = join(root, "engine.sock");
    using _ = Bun.listen({ unix: at, socket: { data() {} } });
    const warned = (socket: string, DOCKER_HOST: string) => serverOf({ socket }, { DOCKER_HOST }).stderr;
    expect(warned(at, `unix://${at}`)).not.toContain("--socket");
    expect(warned("/nonexistent", `unix://${at}`)).toContain("--socket is '/nonexistent', which is not a socket");
    expect(warned("/nonexistent", "tcp://127.0.0.1:2375")).not.toContain("--socket");
  });
});

describe("a project is refused that has", () => {
  const on = (network: object) => [{ e: { networks: { n: null } } }, { n: network }] as const;
  const subnet = (text: string) => on({ ipam: { config: [{ subnet: text }] } });
  for (const [what, [services, networks], words] of [
    [
      "the reference",
      [{ e: { image: "amazon/amazon-ecs-local-container-endpoints:latest" } }],
      "'e' is already such a server",
    ],
    ["this server", [{ e: { image: "registry/ecs-local-endpoints" } }], "service 'e' is already such a server"],
    [
      "its address",
      [{ e: { networks: { n: { ipv4_address: "169.254.170.2" } } } }],
      "service 'e' is already such a server",
    ],
    ["its subnet", subnet("169.254.170.0/24"), "network 'n' overlaps 169.254.170"],
    ["a wider subnet", subnet("169.254.128.0/17"), "network 'n' overlaps 169.254.170"],
    ["a part of its subnet", subnet("169.254.170.128/25"), "network 'n' overlaps 169.254.170"],
    ["its network", on({ name: "ecs-local", external: true }), "network 'n' has the name of a network"],
    ["its second network", [{ e: {} }, { "ecs-local-aws": {} }], "'ecs-local-aws' has the name"],
    ["a service of its name", [{ "ecs-local-endpoints": {} }], "has a service 'ecs-local-endpoints' of its own"],
    ["a name that is none", [{ "a b": {} }], "the project has a service 'a b', which is not a valid service name"],
    ["no services", [{}], "compose.yaml has no services"],
  ] as readonly [string, readonly [object, object?], string][]) {
    test(what, () => expect(() => run(services, {}, {}, networks)).toThrow(words));
  }
  test("another server: only its image has to change", () => {
    const hint = expect.stringContaining("set its image to ecs-local-endpoints:dev");
    const services = { e: { image: "amazon/amazon-ecs-local-container-endpoints" } };
    expect(() => run(services)).toThrow(expect.objectContaining({ code: "command-failed", hint }));
  });
  test("but not one with a subnet next to it, or a network that no service is on", () => {
    for (const text of ["169.254.171.0/24", "169.254.0.0/17", "fd00::/64", "auto"]) {
      const [services, networks] = subnet(text);
      run(services, {}, {}, networks);
    }
    run({ e: {} }, {}, {}, { n: { ipam: { config: [{ subnet: "169.254.170.0/24" }] } } });
  });
});

test("names that YAML or Compose would change are quoted", () => {
  const names = ["1", "no", "1_000", "0b1", "2026-01-02", "---", "..."];
  for (const name of names) {
    const { text } = run({ [name]: { networks: { [name]: null } } });
    expect(text).toContain(`\n  "${name}":\n`);
    expect(text).toContain(`\n      "${name}": {}\n`);
  }
  expect(run({ a: {} }, { socket: "/a$b #c" }).text).toContain('- "/a$$b #c:/var/run/docker.sock"\n');
});

test("no text of a project breaks out of its line", () => {
  const evil = ["\n", "\r", "\u0085", "\u2028"].map((end) => `x${end}  pwn: 1`).join("");
  for (const service of [
    { network_mode: evil },
    { network_mode: `container:${evil}` },
    { volumes: [{ target: `/.aws/${evil}` }] },
    { network_mode: "host", container_name: evil },
    { networks: { [evil]: null } },
  ]) {
    const { text, stderr, file } = run({ a: service });
    const lines = [text, ...stderr].flatMap((each) => each.split(/[\n\r\u0085\u2028]/));
    expect(lines.filter((line) => /^\s*pwn/.test(line))).toEqual([]);
    expect(file).not.toHaveProperty("pwn");
  }
});

describe("the project's files", () => {
  const askedOf = (PATH: string) =>
    readFileSync(join(PATH.split(":")[0] ?? "", "asked"), "utf8")
      .trim()
      .split("\n")
      .at(-1);

  test("are the default ones of the folder or the nearest above, with the override", () => {
    const project = projectOf({ a: {} });
    const { cwd } = project;
    mkdirSync(join(cwd, "sub"));
    writeFileSync(join(cwd, "compose.override.yaml"), "");
    runIn(project, {}, { from: join(cwd, "sub") });
    const files = `-f ${cwd}/compose.yaml -f ${cwd}/compose.override.yaml`;
    expect(askedOf(project.PATH)).toBe(`compose ${files} --project-directory ${cwd} --profile * config --format json`);
    rmSync(join(cwd, "compose.yaml"));
    expect(() => runIn(project)).toThrow(`${cwd} and its parents have no compose.yaml`);
  });
  test("are those of COMPOSE_FILE, also from .env", () => {
    const project = projectOf({ a: {} });
    const { cwd } = project;
    mkdirSync(join(cwd, "docker"));
    writeFileSync(join(cwd, "docker/compose.yml"), "");
    writeFileSync(join(cwd, ".env"), 'A=1\nexport COMPOSE_FILE="docker/compose.yml" # here\n');
    const { stderr } = runIn(project);
    const command = "docker compose --env-file .env -f docker/compose.yml -f docker/compose.ecs-local.yaml up";
    expect(stderr).toContain(`hint: ${command}`);
    expect(askedOf(project.PATH)).toStartWith(`compose --env-file ${cwd}/.env -f ${cwd}/docker/compose.yml `);
    runIn(project, {}, { COMPOSE_FILE: "compose.yaml:docker/compose.yml" });
    expect(askedOf(project.PATH)).toStartWith(`compose -f ${cwd}/compose.yaml -f ${cwd}/docker/compose.yml `);
  });
  test("may include the output of an earlier run, which is left out", () => {
    const project = projectOf({ a: {} });
    const both = ["compose.yaml", WRITTEN];
    runIn(project, { output: WRITTEN }, { COMPOSE_FILE: both.join(":") });
    const first = readFileSync(join(project.cwd, WRITTEN), "utf8");
    runIn(project, { output: WRITTEN, force: true }, { given: both });
    expect(readFileSync(join(project.cwd, WRITTEN), "utf8")).toBe(first);
    expect(askedOf(project.PATH)).not.toContain(WRITTEN);
  });
  test("that cannot be read are named", () => {
    const project = projectOf({ a: {} });
    expect(() => runIn(project, {}, { given: ["none.yaml"] })).toThrow(
      `${project.cwd}/none.yaml cannot be read (ENOENT)`,
    );
    expect(() => runIn(project, {}, { given: ["."] })).toThrow(`${project.cwd} is not a regular file`);
  });
  test("give the same output from every folder, with a command that a shell takes", () => {
    const project = projectOf({ a: {} });
    const { cwd } = project;
    mkdirSync(join(cwd, "sub"));
    writeFileSync(join(cwd, "it's $1.yaml"), "");
    const { text } = runIn(project);
    const above = runIn(project, {}, { from: join(cwd, "sub") });
    expect(above.text).toBe(text);
    expect(above.stderr).toContain("hint: docker compose -f ../compose.yaml -f ../compose.ecs-local.yaml up");
    const { stderr } = runIn(project, { file: ["compose.yaml"] }, { given: ["it's $1.yaml"] });
    const command = "docker compose -f compose.yaml -f 'it'\\''s $1.yaml' -f compose.ecs-local.yaml up";
    expect(stderr).toContain(`hint: ${command}`);
    const other = runIn(project, { output: "sub/x.yaml", projectDirectory: "sub" }, { given: ["compose.yaml"] });
    expect(other.stderr).toContain("hint: docker compose --project-directory sub -f compose.yaml -f sub/x.yaml up");
    expect(readFileSync(join(cwd, "sub/x.yaml"), "utf8")).toContain(
      "#   docker compose --project-directory . -f ../compose.yaml -f x.yaml up\n",
    );
  });
});

describe("the output", () => {
  test("is written once, and again only with --force", () => {
    const project = projectOf({ a: {} });
    const path = join(project.cwd, WRITTEN);
    const write = (options: ComposeOptions = {}) => runIn(project, { output: WRITTEN, ...options }).stderr[0];
    expect(write()).toBe(`wrote ${WRITTEN}`);
    expect(write()).toBe(`${WRITTEN} is up to date`);
    writeFileSync(path, `${WRITTEN_BY} long ago`);
    expect(() => write()).toThrow(`${WRITTEN} exists`);
    expect(write({ force: true })).toBe(`wrote ${WRITTEN}`);
    expect(readFileSync(path, "utf8")).toContain("services:");
    expect(() => write({ output: "no/such/x.yaml" })).toThrow("no/such/x.yaml cannot be written (ENOENT)");
  });
  test("replaces a link and leaves its target alone", () => {
    const project = projectOf({ a: {} });
    writeFileSync(join(project.cwd, "precious"), `${WRITTEN_BY} long ago`);
    symlinkSync("precious", join(project.cwd, WRITTEN));
    runIn(project, { output: WRITTEN, force: true });
    expect(readFileSync(join(project.cwd, "precious"), "utf8")).toBe(`${WRITTEN_BY} long ago`);
    expect(lstatSync(join(project.cwd, WRITTEN)).isFile()).toBeTrue();
  });
  for (const [what, make] of [
    ["a pipe", (at: string) => Bun.spawnSync(["mkfifo", at])],
    ["a folder", (at: string) => mkdirSync(at)],
    ["a link to a folder", (at: string) => symlinkSync(root, at)],
    ["a link to nothing", (at: string) => symlinkSync("nothing", at)],
  ] as const) {
    test(`never replaces ${what}`, () => {
      const project = projectOf({ a: {} });
      const at = join(project.cwd, WRITTEN);
      make(at);
      const { ino } = lstatSync(at);
      const message = `${WRITTEN} is neither a regular file nor a link to one`;
      for (const force of [true, false]) {
        expect(() => runIn(project, { output: WRITTEN, force })).toThrow(expect.objectContaining({ message }));
      }
      expect(lstatSync(at).ino).toBe(ino);
      expect(readdirSync(project.cwd)).toHaveLength(3);
    });
  }
  test("never replaces a file that compose did not write", () => {
    const project = projectOf({ a: {} });
    writeFileSync(join(project.cwd, "base.yaml"), "# mine\n");
    symlinkSync("compose.yaml", join(project.cwd, "link.yaml"));
    for (const output of ["compose.yaml", "base.yaml", "link.yaml"]) {
      for (const options of [{}, { server: true }, { force: true }]) {
        expect(() => runIn(project, { output, ...options }, options === undefined ? {} : { given: [] })).toThrow(
          expect.objectContaining({ message: `${output} exists and was not written by compose` }),
        );
      }
    }
  });
});

describe("docker compose", () => {
  test("is required, with the way to go on without it", () => {
    const { cwd } = projectOf({});
    const hint = expect.stringContaining("ecs-local-endpoints env --format yaml");
    for (const PATH of ["/nonexistent", `${versionOne()}:/bin`]) {
      expect(() => runIn({ cwd, PATH })).toThrow(
        expect.objectContaining({ message: expect.stringContaining("Docker Compose 2 is not installed"), hint }),
      );
    }
  });
  function versionOne(): string {
    const folder = mkdtempSync(join(root, "plugin-"));
    writeFileSync(join(folder, "docker-compose"), "#!/bin/sh\necho 1.29.2\n", { mode: 0o755 });
    return folder;
  }
  test("never gets a variable of the project's .env, its PATH least of all", () => {
    const project = projectOf({ a: {} });
    const folder = plugin(`env >>$(dirname "$0")/env; cat '${project.cwd}/project.json'`);
    const other = plugin("exit 1");
    writeFileSync(join(project.cwd, ".env"), `PATH=${other}:/bin\nDOCKER_CONFIG=./dc\nLD_PRELOAD=./no.so\n`);
    runIn({ ...project, PATH: `${folder}:/bin:/usr/bin` }, {}, { OWN: "1" });
    const seen = readFileSync(join(folder, "env"), "utf8");
    expect(seen).toContain("OWN=1\n");
    expect(seen).not.toMatch(/^(DOCKER_CONFIG|LD_PRELOAD)=/m);
    expect(existsSync(join(other, "asked"))).toBeFalse();
  });
  for (const [what, script, words] of [
    ["refuses the project", "echo W; echo W >&2; exit 15", "docker compose config refused the project"],
    ["prints a line before its JSON", "echo W; echo '{}'", "docker compose config did not print JSON"],
    ["prints null", "echo null", "docker compose config did not print JSON"],
  ] as const) {
    test(`if it ${what}, the error has the command and none of its words`, () => {
      const value = secret("Zq3vXk9rT2");
      const { cwd } = projectOf({});
      const PATH = `${plugin(script.replaceAll("W", value))}:/bin:/usr/bin`;
      const command =
        /^run it to see why: docker compose -f \S+compose\.yaml --project-directory \S+ --profile '\*' config --quiet$/;
      expect(() => runIn({ cwd, PATH })).toThrow(
        expect.objectContaining({ code: "command-failed", message: words, hint: expect.stringMatching(command) }),
      );
    });
  }
});
