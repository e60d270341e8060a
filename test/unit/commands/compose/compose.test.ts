import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
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
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { WRITTEN_BY } from "../../../../src/commands/compose/find-files.ts";
import { waysOf } from "../../../../src/commands/compose/network-mode.ts";
import type { ComposeOptions } from "../../../../src/commands/compose/options.ts";
import { toService } from "../../../../src/commands/compose/project.ts";
import { engineSocket } from "../../../../src/commands/compose/server-service.ts";
import { compose } from "../../../../src/commands/compose.ts";
import type { AppError } from "../../../../src/errors.ts";
import { secret } from "../../../support/secrets.ts";

const FIXTURES = resolve(import.meta.dir, "../../../support/compose");
const root = mkdtempSync(join(tmpdir(), "cmp-unit-"));
mkdirSync(join(root, "home/.aws"), { recursive: true });
afterAll(() => rmSync(root, { recursive: true }));

interface Written {
  services: Record<
    string,
    { environment?: Record<string, string>; networks?: Record<string, unknown>; [key: string]: unknown }
  >;
  networks: Record<string, { external?: boolean; internal?: boolean; name?: string; ipam?: unknown } | null>;
}

let folders = 0;

/** A document whose aliases stand for a million nodes. */
function laughs(): string {
  const lines = Array.from({ length: 6 }, (_, i) => {
    const of = i === 0 ? "x" : `*a${i - 1}`;
    return `x-${i}: &a${i} [${Array.from({ length: 10 }, () => of).join(", ")}]`;
  });
  return `${lines.join("\n")}\nservices: { a: { image: x } }`;
}

/** Runs the command where there is no plugin, in a folder of its own with one file or a fixture. */
function run(source: string, options: ComposeOptions = {}, env: Record<string, string> = {}, given: string[] = []) {
  folders += 1;
  const cwd = join(root, `p${folders}`);
  if (/^\w+$/.test(source)) cpSync(join(FIXTURES, source), cwd, { recursive: true });
  else mkdirSync(cwd);
  if (!/^\w+$/.test(source)) writeFileSync(join(cwd, "compose.yaml"), source);
  const said = compose(
    given,
    { output: "-", ...options },
    { HOME: join(root, "home"), ...env },
    { cwd, platform: "linux" },
  );
  const text = said.stdout.join("");
  return { cwd, said, text, file: parse(text, { merge: true }) as Written };
}

const STANDARD = {
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/creds",
  ECS_CONTAINER_METADATA_URI: "http://169.254.170.2/v3",
  ECS_CONTAINER_METADATA_URI_V4: "http://169.254.170.2/v4",
  ECS_AGENT_URI: "http://169.254.170.2/api",
};

test("one service gets the variables, the network beside its default one, and a server that starts first", () => {
  const { file, said, text } = run("one");
  expect(file.services.app).toEqual({
    environment: STANDARD,
    networks: { default: {}, "ecs-local": { priority: -1 } },
    depends_on: { "ecs-local-endpoints": { condition: "service_started" } },
  });
  expect(file.services["ecs-local-endpoints"]).toMatchObject({
    image: "ecs-local-endpoints:dev",
    volumes: ["/var/run/docker.sock:/var/run/docker.sock", "~/.aws:/home/.aws:ro"],
    networks: { "ecs-local": { ipv4_address: "169.254.170.2" }, "ecs-local-aws": {} },
  });
  expect(file.networks["ecs-local"]).toMatchObject({ name: "ecs-local", internal: true });
  expect(said.stderr).toContain("hint: docker compose -f compose.yaml -f compose.ecs-local.yaml up");
  expect(text).toContain("#   docker compose -f compose.yaml -f compose.ecs-local.yaml up\n");
});

test("of ten services each keeps the networks that it has, and no address is anybody's but the server's", () => {
  const { file, text } = run("ten");
  const networks = Object.fromEntries(
    Object.entries(file.services).map(([name, { networks = {} }]) => [name, Object.keys(networks)]),
  );
  expect(networks).toEqual({
    "ecs-local-endpoints": ["ecs-local", "ecs-local-aws"],
    api: ["back", "front", "ecs-local"],
    billing: ["back", "ecs-local"],
    db: ["back", "ecs-local"],
    mailer: ["back", "mail", "ecs-local"],
    orders: ["back", "ecs-local"],
    proxy: ["front", "ecs-local"],
    search: ["back", "ecs-local"],
    seed: ["default", "ecs-local"],
    web: ["back", "front", "ecs-local"],
    worker: ["back", "ecs-local"],
  });
  expect(text.match(/ipv4_address/g)).toHaveLength(1);
});

test("what hides the endpoint is warned of and written beside the service", () => {
  const { said, text } = run("ten");
  expect(said.stderr.filter((line) => line.startsWith("warning:"))).toEqual([
    "warning: service 'billing' has a volume at /root/.aws, which SDKs use before they ask here: remove it there",
    "warning: service 'worker' has AWS_ACCESS_KEY_ID, which SDKs use before they ask here: remove it there",
  ]);
  expect(text).toContain(
    "  # worker has AWS_ACCESS_KEY_ID, which SDKs use before they ask here: remove it there\n  worker:\n",
  );
});

describe("variables that a service sets itself", () => {
  const of = (environment: string, options: ComposeOptions = {}, env = {}) =>
    run(`services: { a: { image: i, environment: ${environment} } }`, options, env).file.services.a?.environment;

  test("stay its own", () => {
    const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: _, ...rest } = STANDARD;
    expect(of("[AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/role/x]")).toEqual(rest);
    expect(run("ten").text).toContain("# orders keeps its own AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  });
  test("never make two of credentials", () => {
    const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: _, ...rest } = STANDARD;
    expect(of("{ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1/creds' }")).toEqual(rest);
    expect(() => of("[AWS_CONTAINER_CREDENTIALS_FULL_URI=x]", { role: ["a=r"] })).toThrow(/--role.*'a'.*FULL_URI/);
  });
  test("give way to a role that is asked for", () => {
    const role = of("[AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds]", { role: ["a=team/app"] });
    expect(role).toEqual({ ...STANDARD, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/role/team/app" });
  });
  test("keep the region from being set by either name", () => {
    const env = { AWS_REGION: "eu-west-1" };
    expect(of("[]", {}, env)).toEqual({ ...STANDARD, AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "eu-west-1" });
    expect(of("[AWS_DEFAULT_REGION=us-east-2]", {}, env)).toEqual(STANDARD);
    expect(of("[]")).toEqual(STANDARD);
  });
});

test("services without a network of their own are told by name, or are told that they get nothing", () => {
  const { file, text, said } = run("host", { role: ["sidecar=edge"] });
  const { agent, sidecar } = file.services;
  expect(agent?.networks).toBeUndefined();
  expect(agent?.environment).toEqual({
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/creds",
    ECS_CONTAINER_METADATA_URI: "http://169.254.170.2/v3/containers/cmp-edge-agent-1",
    ECS_CONTAINER_METADATA_URI_V4: "http://169.254.170.2/v4/containers/cmp-edge-agent-1",
    ECS_AGENT_URI: "http://169.254.170.2/api/cmp-edge-agent-1",
  });
  expect(sidecar?.networks).toBeUndefined();
  expect(sidecar?.environment).toMatchObject({
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/role/edge",
    ECS_CONTAINER_METADATA_URI: "http://169.254.170.2/v3/containers/cmp-edge-sidecar",
  });
  expect(file.services.batch?.networks).toEqual({ edge: {}, "ecs-local": { priority: -1 } });
  expect(file.services.sealed).toBeUndefined();
  expect(text).toContain("  # sealed has no network and gets nothing\n");
  expect(said.stderr).toContain("warning: service 'sealed' has no network and gets nothing");
});

describe("network_mode", () => {
  const of = (services: string) => run(`services: { ${services} }`);
  test("container: gets the variables and the command that connects that container", () => {
    const { file, text, said } = of("a: { network_mode: 'container:other' }");
    expect(file.services.a?.networks).toBeUndefined();
    expect(file.services.a?.environment).toMatchObject({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/creds" });
    const remark = "has the network of container other: run docker network connect ecs-local other";
    expect(text).toContain(`  # a ${remark}\n`);
    expect(said.stderr).toContain(`warning: service 'a' ${remark}`);
  });
  test("container: has nothing to connect where that is another service's", () => {
    const shares = (b: string) => of(`a: { network_mode: 'container:zz' }, b: { container_name: zz${b} }`);
    const { file, text, said } = shares("");
    expect(file.services.a?.environment).toMatchObject({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/creds" });
    expect(text).toContain("# a has the network of container zz: its metadata needs its own container's name\n");
    expect(`${text}${said.stderr}`).not.toContain("connect");
    const none = "has the network of container zz, which has no network and gets nothing";
    expect(shares(", network_mode: none").said.stderr).toContain(`warning: service 'a' ${none}`);
  });
  test("container: gets a command that a shell takes, whatever that container is called", () => {
    const { text, said } = of("a: { network_mode: 'container:x;touch $(y)' }");
    const command = "run docker network connect ecs-local 'x;touch $(y)'";
    expect(text).toContain(`: ${command}\n`);
    expect(text.replaceAll(command, "")).not.toContain("docker network connect");
    expect(said.stderr.join()).not.toContain("connect ecs-local x;");
  });
  test("service: gets nothing where the other has nothing", () => {
    const { file, text } = of("a: { network_mode: 'service:b' }, b: { network_mode: none }");
    expect(Object.keys(file.services)).toEqual(["ecs-local-endpoints"]);
    expect(text).toContain("# a has the network of service b, which has no network and gets nothing");
  });
  for (const mode of ["bridge", "service:nobody", "service:a"]) {
    test(`${mode} excludes the network, with the remedy`, () => {
      const { file, said } = of(`a: { network_mode: '${mode}' }`);
      expect(file.services.a).toBeUndefined();
      expect(said.stderr.join()).toContain(`'a' has network_mode '${mode}', which excludes networks`);
      expect(() => run(`services: { a: { network_mode: '${mode}' } }`, { role: ["a=r"] })).toThrow(
        /--role: service 'a'/,
      );
    });
  }
});

describe("--role", () => {
  for (const [role, words] of [
    ["app", "--role is 'app', which is not SERVICE=ROLE"],
    ["=app", "which is not SERVICE=ROLE"],
    ["app=", "which is not SERVICE=ROLE"],
    ["nobody=x", "--role names the service 'nobody', which is none of app"],
    ["app=two words", '"two words" is not a role'],
    ["app=../creds", "--role is '../creds', which is not a role"],
  ] as const) {
    test(`${role} is refused`, () => expect(() => run("one", { role: [role] })).toThrow(words));
  }
  test("two of one service are refused", () => {
    expect(() => run("one", { role: ["app=a", "app=b"] })).toThrow("--role gives the service 'app' two roles");
  });
  test("a role's name may have a = too", () => {
    const { file } = run("one", { role: ["app=a=b"] });
    expect(file.services.app?.environment?.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI).toBe("/role/a=b");
  });
});

test("--join writes no server, and takes the network as it is", () => {
  const { file, text } = run("one", { join: true });
  expect(Object.keys(file.services)).toEqual(["app"]);
  expect(file.services.app?.depends_on).toBeUndefined();
  expect(file.networks).toEqual({ default: {}, "ecs-local": { external: true, name: "ecs-local" } });
  expect(text).toContain("first: docker compose -p ecs-local-endpoints -f ecs-local-endpoints.yaml up -d\n");
});

test("with nothing to say of any service it is still a file that Compose takes", () => {
  const { file, text } = run("services: { a: { network_mode: none } }", { join: true });
  expect(file.services).toEqual({});
  expect(text).toContain("  # a has no network and gets nothing\n");
});

test("--server writes a project of its own, without one to read", () => {
  const { file } = run("- none", { server: true, image: "mine:1", socket: "/run/x.sock" });
  expect(file).toMatchObject({ name: "ecs-local-endpoints" });
  expect(file.services["ecs-local-endpoints"]).toMatchObject({ image: "mine:1", restart: "unless-stopped" });
  expect(file.services["ecs-local-endpoints"]?.volumes).toContain("/run/x.sock:/var/run/docker.sock");
});

for (const [options, words] of [
  [{ server: true, join: true }, "--server goes with no --join: it is a project of its own"],
  [{ server: true, role: ["app=r"] }, "--server goes with no --role: it is a project of its own"],
  [{ server: true, file: ["compose.yaml"] }, "--server goes with no FILE: it is a project of its own"],
  [{ server: true, projectDirectory: "." }, "--server goes with no --project-directory: it is a project of its own"],
  [{ join: true, socket: "/x" }, "--join goes with no --socket: it writes no server"],
  [{ join: true, offline: true }, "--join goes with no --offline: it writes no server"],
] as const) {
  test(`${words.split(":", 1)}, which would be dropped`, () => {
    expect(() => run("one", options)).toThrow(expect.objectContaining({ code: "bad-configuration", message: words }));
  });
}

test("--offline is written for the server, whatever the shell says", () => {
  const switchOf = (options: ComposeOptions) =>
    run("one", options).file.services["ecs-local-endpoints"]?.environment?.ECS_LOCAL_OFFLINE;
  expect(switchOf({})).toBeNull();
  expect(switchOf({ offline: true })).toBe("1");
  expect(switchOf({ offline: true, server: true })).toBe("1");
});

test("no warning of an identity is needed where the server is offline, as the server reads that", () => {
  const warned = (options: ComposeOptions, env: Record<string, string>) =>
    run("one", options, { HOME: "/nonexistent", ...env }).said.stderr.some((line) => line.includes("--offline"));
  for (const ECS_LOCAL_OFFLINE of ["", "0", "off", "nonsense"]) expect(warned({}, { ECS_LOCAL_OFFLINE })).toBeTrue();
  for (const ECS_LOCAL_OFFLINE of ["1", " Yes"]) expect(warned({}, { ECS_LOCAL_OFFLINE })).toBeFalse();
  expect(warned({ offline: true }, {})).toBeFalse();
});

test("it says who makes the image that nobody named, where the server is written", () => {
  const hint = "hint: its image ecs-local-endpoints:dev is made by ./scripts/image of a clone; --image names another";
  for (const options of [{}, { server: true }]) expect(run("one", options).said.stderr).toContain(hint);
  const named = { image: "registry.example:5000/a/b:1" };
  for (const options of [{ join: true }, named, { server: true, ...named }]) {
    expect(run("one", options).said.stderr.join()).not.toContain("scripts/image");
  }
});

test("without a folder ~/.aws none is mounted, which the engine would make", () => {
  const { file, said } = run("one", {}, { HOME: "/nonexistent" });
  expect(file.services["ecs-local-endpoints"]?.volumes).toEqual(["/var/run/docker.sock:/var/run/docker.sock"]);
  expect(said.stderr.join()).toContain("there is no ~/.aws");
});

test("keys of the shell are passed on to the server, by their names alone", () => {
  const value = secret("Zq3vXk9rT5");
  const { file, text, said } = run("one", {}, { HOME: "/nonexistent", AWS_ACCESS_KEY_ID: value });
  expect(file.services["ecs-local-endpoints"]?.environment).toMatchObject({
    AWS_ACCESS_KEY_ID: null,
    AWS_SECRET_ACCESS_KEY: null,
    AWS_SESSION_TOKEN: null,
  } as never);
  expect(`${text}${said.stderr}`).not.toContain(value);
  expect(said.stderr.join()).not.toContain("there is no ~/.aws");
  expect(run("one").text).not.toContain("AWS_ACCESS_KEY_ID:");
});

describe("a project is refused that", () => {
  for (const [what, source, words] of [
    [
      "has the reference",
      "services: { e: { image: amazon/amazon-ecs-local-container-endpoints:latest } }",
      "service 'e' is such a server already",
    ],
    ["has us", "services: { e: { image: registry/ecs-local-endpoints } }", "service 'e' is such a server already"],
    [
      "has the address",
      "services: { e: { image: x, networks: { n: { ipv4_address: 169.254.170.2 } } } }",
      "service 'e' is such a server already",
    ],
    [
      "has the subnet",
      "services: { e: { image: x, networks: [n] } }\nnetworks: { n: { ipam: { config: [{ subnet: 169.254.170.0/24 }] } } }",
      "network 'n' has addresses",
    ],
    [
      "has a wider subnet",
      "services: { e: { image: x, networks: [n] } }\nnetworks: { n: { ipam: { config: [{ subnet: 169.254.128.0/17 }] } } }",
      "network 'n' has addresses",
    ],
    [
      "has a network of that name",
      "services: { e: { image: x } }\nnetworks: { ecs-local: }",
      "network 'ecs-local' is called as ours",
    ],
    [
      "has that network by another key",
      "services: { e: { image: x, networks: [n] } }\nnetworks: { n: { name: ecs-local, external: true } }",
      "network 'n' is called as ours",
    ],
    [
      "has the server's network",
      "services: { e: { image: x } }\nnetworks: { ecs-local-aws: }",
      "'ecs-local-aws' is called",
    ],
    [
      "has a service of our name",
      "services: { ecs-local-endpoints: { build: . } }",
      "the project has a service 'ecs-local-endpoints' of its own",
    ],
    ["has no services", "networks: { n: }", "compose.yaml has no services"],
    ["is of the time before services had their key", "web: { image: x }", "compose.yaml has no services"],
  ] as const) {
    test(what, () => expect(() => run(source)).toThrow(words));
  }
  test("has a server like it is told that the image is all to change", () => {
    try {
      run("services: { e: { image: amazon/amazon-ecs-local-container-endpoints } }");
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: "command-failed",
        hint: expect.stringContaining("set its image to ecs-local-endpoints:dev"),
      });
    }
  });
});

test("a network beside that subnet, or one that nobody is on, is none of our business", () => {
  const of = (subnet: string, networks: string) =>
    run(
      `services: { e: { image: x, networks: [${networks}] }, f: { image: x } }\nnetworks: { n: { ipam: { config: [{ subnet: "${subnet}" }] } } }`,
    );
  for (const subnet of ["169.254.171.0/24", "169.254.0.0/17", "fd00::/64", "auto", ""]) of(subnet, "n");
  of("169.254.170.0/24", "");
  expect(() =>
    run("services: { e: { image: x } }\nnetworks: { default: { ipam: { config: [{ subnet: 169.0.0.0/8 }] } } }"),
  ).toThrow();
});

test("several containers of a service that shares a network are told of the first, which is said", () => {
  for (const count of ["scale: 3", "scale: $N", "deploy: { replicas: 3 }"]) {
    const { said, text } = run(
      `name: p\nservices: { a: { image: x, network_mode: host, ${count} }, b: { image: x, ${count} } }`,
      {},
      { N: "3" },
    );
    const words = "has 3 containers, all of which are told of p-a-1";
    expect(said.stderr.filter((line) => line.startsWith("warning:"))).toEqual([`warning: service 'a' ${words}`]);
    expect(text).toContain(`  # a ${words}\n`);
  }
});

test("a chain of shared networks without an end is bounded", () => {
  const chain = Array.from({ length: 5000 }, (_, i) => `s${i}: { image: x, network_mode: "service:s${i + 1}" }`);
  const { file } = run(`services: { ${chain.join(", ")} }`);
  expect(Object.keys(file.services)).toEqual(["ecs-local-endpoints"]);
  const ends = run("services: { a: { network_mode: 'service:b' }, b: { network_mode: 'service:c' }, c: { image: x } }");
  expect(ends.text).toContain("# a has the network of service b: its metadata needs its own container's name");
});

test("a long chain of shared networks is followed to its end, each service once", () => {
  const chain = Array.from({ length: 30_000 }, (_, i) => ({
    ...toService(`s${i}`, i === 29_999 ? {} : { network_mode: `service:s${i + 1}` }),
  }));
  const begun = performance.now();
  const ways = waysOf(chain).map(([, { kind }]) => kind);
  expect(performance.now() - begun).toBeLessThan(2_000);
  expect(new Set(ways.slice(0, -1))).toEqual(new Set(["shares"]));
  expect(ways.at(-1)).toBe("joins");
});

test("in a ring of shared networks nobody has one", () => {
  const services = ["a: service:b", "b: service:c", "c: service:b"].map((line) => {
    const [name = "", mode] = line.split(": ");
    return toService(name, { network_mode: mode });
  });
  expect(waysOf(services).map(([, { kind }]) => kind)).toEqual(["none", "none", "none"]);
});

test("the default network is named where a service is given it: Compose has none for an empty network_mode", () => {
  const networks = (service: string) =>
    run(`services: { a: { image: x, ${service} } }\nnetworks: { n: }`, { join: true }).file.networks;
  for (const one of ['network_mode: "$NET"', "networks: [default]"]) {
    expect(networks(one)).toHaveProperty("default", {});
  }
  for (const other of ["networks: [n]", "network_mode: host"]) expect(networks(other)).not.toHaveProperty("default");
});

test("names and values that YAML or Compose would take for something else are quoted", () => {
  const { file, text } = run('services: { "1": { image: x, networks: ["null", "2"] } }', { socket: "/a$b #c" });
  expect(file.services["ecs-local-endpoints"]?.volumes).toContain("/a$$b #c:/var/run/docker.sock");
  expect(Object.keys(file.services["1"]?.networks ?? {})).toEqual(["2", "null", "ecs-local"]);
  expect(text).toMatch(/^ {2}"1":$/m);
  for (const name of ["no", "1_000", "0b1", "0o7", "2026-01-02", "---", "---a", "..."]) {
    const { text } = run(`services: { "${name}": { image: x, networks: ["${name}"] } }`);
    expect(text).toContain(`\n  "${name}":\n`);
    expect(text).toContain(`\n      "${name}": {}\n`);
  }
});

describe("no word of a project ends the line that it is on", () => {
  const BREAKS = ["\n", "\r", "\u0085", "\u2028"];
  const broken = (text: string) => BREAKS.map((end) => `x${end}${text}`).join("");
  const lines = ({ text, said }: ReturnType<typeof run>) => {
    const all = [
      ...text.split(/[\n\r\u0085\u2028]/),
      ...said.stderr.flatMap((line) => line.split(/[\n\r\u0085\u2028]/)),
    ];
    return all.filter((line) => /^\s*pwn/.test(line));
  };
  const evil = JSON.stringify(broken("  pwn: 1"));
  for (const [where, service] of [
    ["network_mode", `network_mode: ${evil}`],
    ["another container's name", `network_mode: ${JSON.stringify(`container:${broken("  pwn: 1")}`)}`],
    ["a mount", `volumes: [{ target: ${JSON.stringify(`/.aws/${broken("  pwn: 1")}`)} }]`],
    ["a container's name", `network_mode: host, container_name: ${evil}`],
    ["a network", `networks: [${evil}]`],
  ] as const) {
    test(where, () => {
      const made = run(`services: { a: { image: x, ${service} } }`);
      expect(lines(made)).toEqual([]);
      expect(made.file).not.toHaveProperty("pwn");
    });
  }
  test("a file's name", () => {
    const { cwd } = run("one");
    const name = broken("pwn: 1");
    cpSync(join(cwd, "compose.yaml"), join(cwd, name));
    const said = compose([name], { output: "-" }, { HOME: join(root, "home") }, { cwd, platform: "linux" });
    expect(lines({ cwd, said, text: said.stdout.join(""), file: parse("") })).toEqual([]);
    expect(() => compose([`no${name}`], { output: "-" }, {}, { cwd, platform: "linux" })).toThrow(
      /^[^\n\r\u0085\u2028]*$/,
    );
  });
  test("the socket, which is kept as it is", () => {
    const socket = `/${broken("    pwn")}"\\\u{e0001}`;
    const made = run("one", { socket });
    expect(lines(made)).toEqual([]);
    expect(made.file.services["ecs-local-endpoints"]?.volumes).toContain(`${socket}:/var/run/docker.sock`);
  });
  test("a service's name, which is refused", () => {
    const refused = /^the project has a service 'x\? {2}pwn[^\n]*', which is not/;
    expect(() => run(`services: { ? ${evil} : { image: x } }`)).toThrow(refused);
    expect(() => run("services: { 'a b': { image: x } }")).toThrow("'a b', which is not a service's name");
  });
});

for (const [name, options] of [
  ["--image", { image: "" }],
  ["--image", { image: "a$b: #c" }],
  ["--image", { image: "Upper/Case" }],
  ["--image", { image: "a:" }],
  ["--output", { output: "" }],
  ["--socket", { socket: "" }],
  ["--socket", { socket: "run/x.sock" }],
  ["--socket", { socket: "/a:/b" }],
] as const) {
  test(`the option ${JSON.stringify(options)} is wrong usage`, () => {
    for (const more of [{}, { server: true }]) {
      expect(() => run("one", { ...options, ...more })).toThrow(
        expect.objectContaining({ code: "bad-configuration", message: expect.stringContaining(name) }),
      );
    }
  });
}

test("the options are looked at before the files", () => {
  expect(() => run("one", { role: ["app"] }, {}, ["nowhere.yaml"])).toThrow("which is not SERVICE=ROLE");
});

test("a file is written beside the project's first, and over one that was changed only with --force", () => {
  const { cwd } = run("one");
  const machine = { cwd: join(cwd, ".."), platform: "linux" };
  const project = cwd.slice(machine.cwd.length + 1);
  const write = (force?: boolean) => compose([`${project}/compose.yaml`], { force }, { HOME: "/nonexistent" }, machine);
  expect(write().stderr[0]).toBe(`wrote ${project}/compose.ecs-local.yaml`);
  const changed = `${WRITTEN_BY}, and changed`;
  writeFileSync(join(cwd, "compose.ecs-local.yaml"), changed);
  expect(write).toThrow(
    expect.objectContaining({
      message: `${project}/compose.ecs-local.yaml exists`,
      hint: expect.stringMatching(/--force/),
    }),
  );
  expect(readFileSync(join(cwd, "compose.ecs-local.yaml"), "utf8")).toBe(changed);
  write(true);
  const first = readFileSync(join(cwd, "compose.ecs-local.yaml"), "utf8");
  expect(first).toContain("ecs-local-endpoints compose");
  expect(write().stderr[0]).toBe(`${project}/compose.ecs-local.yaml is as it is to be`);
  expect(readFileSync(join(cwd, "compose.ecs-local.yaml"), "utf8")).toBe(first);
  expect(() => run("one", { output: "no/such/folder.yaml" })).toThrow(
    expect.objectContaining({
      message: "no/such/folder.yaml cannot be written (ENOENT)",
      hint: "make its folder first",
    }),
  );
});

describe("--force", () => {
  const WRITTEN = "compose.ecs-local.yaml";
  function again(cwd: string, given: string[], options: ComposeOptions = {}, env: Record<string, string> = {}) {
    return compose(
      given,
      { force: true, ...options },
      { HOME: join(root, "home"), ...env },
      { cwd, platform: "linux" },
    );
  }
  test("replaces a link and leaves what it leads to", () => {
    const { cwd } = run("one");
    writeFileSync(join(cwd, "precious"), `${WRITTEN_BY} long ago`);
    symlinkSync("precious", join(cwd, WRITTEN));
    again(cwd, []);
    expect(readFileSync(join(cwd, "precious"), "utf8")).toBe(`${WRITTEN_BY} long ago`);
    expect(lstatSync(join(cwd, WRITTEN)).isFile()).toBeTrue();
    expect(readdirSync(cwd).toSorted()).toEqual([WRITTEN, "compose.yaml", "precious"]);
  });
  test("leaves nothing beside what it cannot replace", () => {
    const { cwd } = run("one");
    mkdirSync(join(cwd, WRITTEN, "full"), { recursive: true });
    expect(() => again(cwd, [])).toThrow(`${WRITTEN} is neither a regular file nor a link to one`);
    expect(readdirSync(cwd).toSorted()).toEqual([WRITTEN, "compose.yaml"]);
  });
  for (const [what, make] of [
    ["a pipe", (at: string) => Bun.spawnSync(["mkfifo", at])],
    ["a link to a pipe", (at: string) => symlinkSync(pipe(), at)],
    ["a link to a folder", (at: string) => symlinkSync(root, at)],
    ["a link to nothing", (at: string) => symlinkSync("nothing", at)],
  ] as const) {
    test(`never takes the place of ${what}`, () => {
      const { cwd } = run("one");
      const at = join(cwd, WRITTEN);
      make(at);
      const { ino } = lstatSync(at);
      for (const force of [true, false]) {
        expect(() => again(cwd, [], { force })).toThrow(
          expect.objectContaining({
            message: `${WRITTEN} is neither a regular file nor a link to one`,
            hint: "name another with --output, or - for stdout",
          }),
        );
      }
      expect(lstatSync(at).ino).toBe(ino);
    });
  }
  function pipe(): string {
    const at = join(mkdtempSync(join(root, "pipe-")), "p");
    Bun.spawnSync(["mkfifo", at]);
    return at;
  }
  test("never takes the place of what was not written by it, by whatever name", () => {
    const { cwd } = run("one");
    const files = ["compose.yaml", "base.yaml", ".env", "a.env"];
    for (const name of files.slice(1)) writeFileSync(join(cwd, name), "# mine\n");
    symlinkSync("compose.yaml", join(cwd, "link.yaml"));
    const texts = () => files.map((name) => readFileSync(join(cwd, name), "utf8"));
    const before = texts();
    for (const output of [...files, "link.yaml"]) {
      for (const options of [{ output }, { output, server: true }, { output, force: false }]) {
        expect(() => again(cwd, options.server ? [] : ["compose.yaml"], options)).toThrow(
          expect.objectContaining({
            message: `${output} exists and was not written by compose`,
            hint: "name another with --output",
          }),
        );
      }
    }
    expect(texts()).toEqual(before);
  });
  test("takes the place of an empty file with --force alone", () => {
    const { cwd } = run("one");
    const path = join(cwd, "empty.yaml");
    writeFileSync(path, "");
    expect(() => again(cwd, ["compose.yaml"], { output: "empty.yaml", force: false })).toThrow("empty.yaml exists");
    again(cwd, ["compose.yaml"], { output: "empty.yaml", force: true });
    expect(readFileSync(path, "utf8")).toContain("services:");
  });
  test("runs again where the output is named with the project's files", () => {
    const { cwd } = run("one");
    const both = ["compose.yaml", WRITTEN];
    again(cwd, [], {}, { COMPOSE_FILE: both.join(":") });
    const first = readFileSync(join(cwd, WRITTEN), "utf8");
    again(cwd, [], {}, { COMPOSE_FILE: both.join(":") });
    again(cwd, both);
    expect(readFileSync(join(cwd, WRITTEN), "utf8")).toBe(first);
    expect(again(cwd, both, { output: "-" }).stdout.join("")).toBe(first);
    expect(first).toContain("-f compose.yaml -f compose.ecs-local.yaml up");
  });
});

test("the command that it names is one that a shell takes, whatever the files are called", () => {
  const { cwd } = run("one");
  cpSync(join(cwd, "compose.yaml"), join(cwd, "it's $1.yaml"));
  const write = (given: string[], options: ComposeOptions) =>
    compose(given, { output: "-", ...options }, { HOME: "/nonexistent" }, { cwd, platform: "linux" });
  const { stderr, stdout } = write(["it's $1.yaml"], { file: ["compose.yaml"], output: "-" });
  const command = "docker compose -f compose.yaml -f 'it'\\''s $1.yaml' -f compose.ecs-local.yaml up";
  expect(stderr).toContain(`hint: ${command}`);
  expect(stdout.join("")).toContain(`#   ${command}\n`);
  expect(write([], { server: true, output: "my server.yaml" }).stderr).toEqual([
    "wrote my server.yaml",
    "warning: there is no ~/.aws: give the server another identity, or --offline for dummy credentials",
    "hint: its image ecs-local-endpoints:dev is made by ./scripts/image of a clone; --image names another",
    "hint: docker compose -p ecs-local-endpoints -f 'my server.yaml' up -d",
  ]);
  expect(readFileSync(join(cwd, "my server.yaml"), "utf8")).toContain(
    "#   docker compose -p ecs-local-endpoints -f 'my server.yaml' up -d\n",
  );
  mkdirSync(join(cwd, "sub"));
  expect(write([], { server: true, output: "sub/s.yaml" }).stderr.at(-1)).toEndWith(" -f sub/s.yaml up -d");
  expect(readFileSync(join(cwd, "sub/s.yaml"), "utf8")).toContain(" -f s.yaml up -d\n");
  expect(write([], { server: true }).stdout.join("")).toContain(" -f ecs-local-endpoints.yaml up -d\n");
});

test("the file is the same from wherever it is written, with the command as it is run beside it", () => {
  const { cwd, text } = run("one");
  mkdirSync(join(cwd, "sub"));
  const write = (given: string[], from: string, options: ComposeOptions = {}) =>
    compose(
      given,
      { output: "-", ...options },
      { HOME: join(root, "home") },
      { cwd: join(cwd, from), platform: "linux" },
    );
  const above = write([], "sub");
  expect(above.stdout.join("")).toBe(text);
  expect(above.stderr).toContain("hint: docker compose -f ../compose.yaml -f ../compose.ecs-local.yaml up");
  const other = write(["compose.yaml"], ".", { output: "sub/x.yaml", projectDirectory: "sub" });
  expect(other.stderr).toContain("hint: docker compose --project-directory sub -f compose.yaml -f sub/x.yaml up");
  expect(readFileSync(join(cwd, "sub/x.yaml"), "utf8")).toContain(
    "#   docker compose --project-directory . -f ../compose.yaml -f x.yaml up\n",
  );
});

test("the command names the variables of the folder that it was written in, which -f would leave out", () => {
  const { cwd } = run("one");
  mkdirSync(join(cwd, "docker"));
  cpSync(join(cwd, "compose.yaml"), join(cwd, "docker/compose.yml"));
  writeFileSync(join(cwd, ".env"), "COMPOSE_FILE=docker/compose.yml\n");
  const { stdout, stderr } = compose([], { output: "-" }, { HOME: "/nonexistent" }, { cwd, platform: "linux" });
  const files = (folder: string) => `-f ${folder}compose.yml -f ${folder}compose.ecs-local.yaml up`;
  expect(stderr).toContain(`hint: docker compose --env-file .env ${files("docker/")}`);
  expect(stdout.join("")).toContain(`#   docker compose --env-file ../.env ${files("")}\n`);
});

test("the engine's socket is the one that a container's volume can name", () => {
  const socket = (DOCKER_HOST: string, platform = "linux") => engineSocket({ DOCKER_HOST }, platform);
  expect(socket("unix:///run/user/1000/docker.sock")).toBe("/run/user/1000/docker.sock");
  expect(socket("unix:///home/me/.docker/desktop/docker.sock")).toBe("/var/run/docker.sock");
  expect(socket("unix:///Users/me/.colima/default/docker.sock", "darwin")).toBe("/var/run/docker.sock");
  expect(socket("unix:///home/me/.rd/docker.sock")).toBe("/var/run/docker.sock");
  expect(socket("unix:///home/me/.docker/run/docker.sock")).toBe("/home/me/.docker/run/docker.sock");
  expect(socket("tcp://127.0.0.1:2375")).toBe("/var/run/docker.sock");
  expect(() => socket("unix:///tmp/a:b.sock")).toThrow("the engine's socket is /tmp/a:b.sock, and no volume can name");
  expect(socket("unix:///tmp/a:b.sock", "darwin")).toBe("/var/run/docker.sock");
  const env = { DOCKER_HOST: "unix:///tmp/a:b.sock" };
  for (const options of [{ socket: "/run/x.sock" }, { join: true }]) run("one", options, env);
});

test("a socket that is not there is warned of where the engine is of this system", () => {
  const said = (DOCKER_HOST: string, path: string) =>
    run("one", { socket: path }, { DOCKER_HOST }).said.stderr.filter((line) => line.includes("--socket"));
  const at = join(root, "engine.sock");
  using server = Bun.listen({ unix: at, socket: { data() {} } });
  expect(said(`unix://${server.unix}`, at)).toEqual([]);
  for (const path of ["/nonexistent", join(FIXTURES, "one/compose.yaml")]) {
    expect(said(`unix://${at}`, path)).toEqual([`warning: --socket is '${path}', which is no socket on this machine`]);
    for (const host of ["tcp://127.0.0.1:2375", "unix:///home/me/.docker/desktop/docker.sock"]) {
      expect(said(host, path)).toEqual([]);
    }
  }
});

describe("with the plugin", () => {
  /** A program that answers as `docker compose` does, and keeps what it was asked. */
  function plugin(config: string): string {
    const folder = mkdtempSync(join(root, "plugin-"));
    const script = `#!/bin/sh\necho "$@" >>${folder}/asked\ncase "$*" in "compose version --short") echo 2.40.3;; *) ${config};; esac\n`;
    writeFileSync(join(folder, "docker"), script);
    chmodSync(join(folder, "docker"), 0o755);
    return folder;
  }
  const answer = {
    name: "given",
    services: { web: { image: "x", networks: { default: null } } },
    networks: { default: {} },
  };

  test("its word counts, of every profile", () => {
    const folder = plugin(`printf '%s' '${JSON.stringify(answer)}'`);
    const { file, cwd } = run("one", {}, { PATH: `${folder}:/bin:/usr/bin` });
    expect(Object.keys(file.services)).toEqual(["ecs-local-endpoints", "web"]);
    const asked = `compose -f ${cwd}/compose.yaml --project-directory ${cwd} --profile * config --format json`;
    expect(readFileSync(join(folder, "asked"), "utf8").trim().split("\n").at(-1)).toBe(asked);
  });

  test("it is told of the variables that it would read without -f", () => {
    const folder = plugin(`printf '%s' '${JSON.stringify(answer)}'`);
    const { cwd } = run("one");
    mkdirSync(join(cwd, "sub"));
    writeFileSync(join(cwd, ".env"), "A=1");
    writeFileSync(join(cwd, "sub/.env"), "A=2");
    const machine = { cwd: join(cwd, "sub"), platform: "linux" };
    compose([], { output: "-" }, { PATH: `${folder}:/bin:/usr/bin` }, machine);
    const asked = readFileSync(join(folder, "asked"), "utf8").trim().split("\n").at(-1);
    expect(asked).toStartWith(`compose --env-file ${cwd}/.env --env-file ${cwd}/sub/.env -f ${cwd}/compose.yaml `);
  });

  test("nothing of the project's .env gets to it, its path least of all", () => {
    const folder = plugin(`env >>$(dirname "$0")/env; printf '%s' '${JSON.stringify(answer)}'`);
    const other = plugin("exit 1");
    const cwd = mkdtempSync(join(root, "dotenv-"));
    writeFileSync(join(cwd, "compose.yaml"), "services: { app: { image: x } }");
    writeFileSync(
      join(cwd, ".env"),
      `PATH=${other}:/bin\nDOCKER_CONFIG=./dc\nLD_PRELOAD=./no.so\nDOCKER_HOST=tcp://x\n`,
    );
    const ask = (env: Record<string, string>) => compose([], { output: "-" }, env, { cwd, platform: "linux" });
    ask({ PATH: `${folder}:/bin:/usr/bin`, OWN: "1" });
    const seen = readFileSync(join(folder, "env"), "utf8");
    expect(seen).toContain("OWN=1\n");
    expect(seen).not.toMatch(/^(DOCKER_CONFIG|LD_PRELOAD|DOCKER_HOST)=/m);
    ask({});
    expect(existsSync(join(other, "asked"))).toBeFalse();
  });

  for (const [what, script, words] of [
    ["refuses", "echo W >&2; exit 15", "docker compose config refused the project"],
    ["answers with a line before its JSON", "echo W; echo '{}'", "docker compose config answered something else"],
    ["answers with no map", "echo null", "docker compose config answered something else"],
  ] as const) {
    test(`what it ${what} is an error that quotes nothing of it`, () => {
      const value = secret("Zq3vXk9rT2");
      const folder = plugin(script.replace("W", value));
      try {
        run("one", {}, { PATH: `${folder}:/bin:/usr/bin` });
        expect.unreachable();
      } catch (error) {
        const { code, sentence } = error as AppError;
        expect([code, sentence]).toEqual(["command-failed", expect.stringContaining(words)]);
        expect(sentence).toMatch(
          /; run it to see why: docker compose -f \S+compose\.yaml --project-directory \S+ --profile '\*' config --quiet$/,
        );
        expect(sentence).not.toContain(value);
      }
    });
  }

  test("why it refuses is said where we see it ourselves, without a value", () => {
    const value = secret("Zq3vXk9rT6");
    const env = { PATH: `${plugin("exit 1")}:/bin:/usr/bin` };
    const source = `services: { a: { image: "\${NEEDED:?}", environment: { P: "${value}" } } }`;
    const refused = () => run(source, {}, env);
    expect(refused).toThrow(
      /^docker compose config refused the project, perhaps because \S+compose\.yaml: services\.a\.image needs the variable NEEDED$/,
    );
    expect(() => run(source, {}, { NEEDED: "x", ...env })).toThrow(/^docker compose config refused the project$/);
  });

  for (const [what, source] of [
    ["more than one document", "services: { a: { image: x } }\n---\nservices: { a: { image: y } }"],
    ["a depth", `services: { a: { image: "${"${A:-".repeat(40)}${"}".repeat(40)}" } }`],
    ["aliases for too much", laughs()],
  ] as const) {
    test(`${what} that we alone do not read is no reason of its refusal`, () => {
      expect(() => run(source)).toThrow();
      const env = { PATH: `${plugin("exit 1")}:/bin:/usr/bin` };
      expect(() => run(source, {}, env)).toThrow(/^docker compose config refused the project$/);
    });
  }

  test("what it left behind does not keep its answer, nor is the answer left behind", () => {
    const tmp = mkdtempSync(join(root, "tmp-"));
    const folder = plugin(`printf '%s' '${JSON.stringify(answer)}'; sleep 8 &`);
    const script = `const { compose } = await import("${resolve(import.meta.dir, "../../../../src/commands/compose.ts")}");
      const env = { PATH: "${folder}:/bin:/usr/bin" };
      console.log(compose([], { output: "-" }, env, { cwd: "${join(FIXTURES, "one")}", platform: "linux" }).stdout.join(""));`;
    const begun = performance.now();
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { env: { TMPDIR: tmp } });
    expect(performance.now() - begun).toBeLessThan(6_000);
    expect(stdout.toString()).toContain("  web:\n");
    expect(readdirSync(tmp)).toEqual([]);
  }, 15_000);
});
