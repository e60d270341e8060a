// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what Compose reads, not templates
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { findFiles, WRITTEN_BY } from "../../../../src/commands/compose/find-files.ts";
import { readProject } from "../../../../src/commands/compose/yaml.ts";
import { AppError } from "../../../../src/errors.ts";
import { secret } from "../../../support/secrets.ts";

const root = mkdtempSync(join(tmpdir(), "cmp-yaml-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;

function folder(files: Record<string, string>): string {
  folders += 1;
  const path = join(root, `My Shop_${folders}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

function read(files: Record<string, string>, given: string[] = [], env: Record<string, string> = {}) {
  return readProject(findFiles(given, folder(files), undefined, env, undefined));
}

test("the short and the long forms say the same", () => {
  const { services } = read({
    "compose.yaml": `
services:
  short:
    image: a
    environment: [A=1, B]
    networks: [x, y]
    volumes: ["/data", "./aws:/root/.aws:ro"]
  long:
    image: a
    environment: { A: 1, B: }
    networks: { x: , y: { aliases: [z] } }
    volumes: [{ type: volume, target: /data }, { type: bind, source: ./aws, target: /root/.aws }]
networks: { x: , y: }
`,
  });
  const [short, long] = services;
  expect({ ...short, name: "" }).toEqual({ ...long, name: "" } as never);
  expect(short).toMatchObject({ variables: ["A", "B"], networks: ["x", "y"], mounts: ["/data", "/root/.aws"] });
});

test("merge keys, variables of .env and of the process, and a later file count", () => {
  const { name, services, networks } = read(
    {
      ".env": "IMAGE=fromdotenv\nMODE='host' # quoted\n",
      "compose.yaml": `
name: \${NAME}
x-base: &base { image: "\${IMAGE}:\${TAG:-1}", environment: { A: "1" } }
services:
  a: { <<: *base }
  b: { <<: *base, network_mode: $MODE, environment: [B=1] }
networks: { n: { ipam: { config: [{ subnet: "\${BASE:-10.9}.0.0/16" }] } } }
`,
      "compose.override.yaml": "services: { a: { networks: [n], environment: [C=1] }, c: { image: c } }",
    },
    [],
    { NAME: "other", IMAGE: "process" },
  );
  expect(name).toBe("other");
  expect(services.map((service) => service.name)).toEqual(["a", "b", "c"]);
  expect(services[0]).toMatchObject({ image: "process:1", variables: ["A", "C"], networks: ["n"] });
  expect(services[1]).toMatchObject({ networkMode: "host", variables: ["B"] });
  expect(networks).toEqual([{ key: "n", name: undefined, subnets: ["10.9.0.0/16"] }]);
});

test("extends follows other files, whose paths are their own", () => {
  const { services } = read({
    "compose.yaml": "services: { a: { extends: { file: common/base.yaml, service: b }, environment: [OWN=1] } }",
    "common/base.yaml":
      "services: { b: { extends: c, env_file: b.env, networks: [n] }, c: { image: c, environment: [DEEP=1] } }",
    "common/b.env": "# comment\nexport FILE=1\nNOVALUE\n",
  });
  expect(services).toHaveLength(1);
  expect(services[0]).toMatchObject({ name: "a", image: "c", networks: ["n"] });
  expect(services[0]?.variables.toSorted()).toEqual(["DEEP", "FILE", "NOVALUE", "OWN"]);
});

test("a file that many services extend is read once", () => {
  const services = Array.from({ length: 100 }, (_, i) => `  s${i}: { extends: { file: base.yaml, service: b } }`);
  const padding = Array.from({ length: 3000 }, (_, i) => `x-${i}: { a: ${i} }`);
  const start = performance.now();
  const project = read({
    "compose.yaml": `services:\n${services.join("\n")}`,
    "base.yaml": `services: { b: { image: c } }\n${padding.join("\n")}`,
  });
  expect(project.services).toHaveLength(100);
  // Once takes tens of milliseconds, a hundred times many seconds.
  expect(performance.now() - start).toBeLessThan(3000);
});

describe("a file that is not to be read is refused with a sentence:", () => {
  const path = folder({ "compose.yaml": "services: {}", "big.yaml": `services: {}\n#${"x".repeat(4_000_000)}` });
  Bun.spawnSync(["mkfifo", join(path, "pipe.yaml")]);
  for (const [file, words] of [
    ["big.yaml", "big.yaml is larger than 4 MB"],
    ["pipe.yaml", "pipe.yaml is not a regular file"],
    ["/dev/zero", "/dev/zero is not a regular file"],
    ["none.yaml", "none.yaml cannot be read (ENOENT)"],
  ] as const) {
    test(file, () => {
      expect(() => findFiles([file], path, undefined, {}, undefined)).toThrow(words);
      const extending = {
        "compose.yaml": `services: { a: { extends: { file: "${resolve(path, file)}", service: b } } }`,
      };
      expect(() => read(extending)).toThrow(words);
      const withEnv = { "compose.yaml": `services: { a: { env_file: "${resolve(path, file)}" } }` };
      expect(() => read(withEnv)).toThrow(words);
    });
  }
});

test("a service that extends itself, or one that is not there, is an error", () => {
  expect(() => read({ "compose.yaml": "services: { a: { extends: b }, b: { extends: a } }" })).toThrow(
    /extends more than 16/,
  );
  expect(() => read({ "compose.yaml": "services: { a: { extends: nobody } }" })).toThrow("has no service 'nobody'");
});

test("an env file that must be there and is not is an error; one that may be missing is none", () => {
  expect(() => read({ "compose.yaml": "services: { a: { env_file: no.env } }" })).toThrow(
    /no\.env cannot be read \(ENOENT\)/,
  );
  read({ "compose.yaml": "services: { a: { env_file: [{ path: no.env, required: false }] } }" });
});

test("what only Compose can tell is said", () => {
  const { unresolved } = read({ "compose.yaml": "include: [other.yaml]\nservices: { a: { networks: !reset [] } }" });
  expect(unresolved).toHaveLength(2);
  expect(unresolved[0]).toMatch(/!reset.*plugin/);
  expect(unresolved[1]).toMatch(/includes other files.*plugin/);
});

test("a file that is no YAML is an error with its line, one that is no map as well", () => {
  expect(() => read({ "compose.yaml": "services:\n  a: [" })).toThrow(/compose\.yaml is not YAML: .*line 2/);
  expect(() => read({ "compose.yaml": "- a" })).toThrow("is no Compose file");
});

for (const [what, text, words] of [
  ["an alias without its anchor", "a: 1\nb: *W", "has an alias without its anchor at line 2, column 4"],
  ["an alias in itself", "a: &W\n  - [*W]", "has an alias inside what it stands for at line 2, column 6"],
  ["a merge of itself", "a: &A { W: 1, <<: *A }", "has an alias inside what it stands for at line 1, column 28"],
  ["a merge of a text", "a: { <<: W }", "has a merge key without a map at line 1, column 6"],
  ["a bomb of aliases", bomb("[", "]"), "has aliases that stand for too much at line"],
  ["a bomb of merge keys", bomb("{ <<: [", "] }", "{ W: 1 }"), "has aliases that stand for too much at line"],
  ["a header of more", "a: |W\n", "is not YAML: unexpected token at line 1, column 5"],
  ["nesting without an end", "[".repeat(20_000), "is not YAML: resource exhaustion at line 1, column"],
] as const) {
  test(`${what} is an error with its place, and none of the text`, () => {
    const value = secret("Zq3vXk9rT0");
    const said = messageOf(() => read({ "compose.yaml": text.replaceAll("W", value) }));
    expect(said).toContain(`compose.yaml ${words}`);
    expect(said).not.toContain(value);
  });
}

test("a merge of maps in a list, and an anchor that is used often, are no errors", () => {
  const uses = Array.from({ length: 500 }, (_, i) => `  s${i}: { <<: [*a, *b], image: x }`).join("\n");
  const { services } = read({ "compose.yaml": `x-a: &a { image: a }\nx-b: &b { networks: [n] }\nservices:\n${uses}` });
  expect(services).toHaveLength(500);
  expect(services[499]).toMatchObject({ image: "x", networks: ["n"] });
});

test("a text that cannot be interpolated is named by its keys", () => {
  const value = secret("Zq3vXk9rT1");
  const of = (text: string) =>
    messageOf(() => read({ "compose.yaml": `services: { web: { environment: { P: "${text}" } } }` }, [], { S: value }));
  expect(of(`${value}\${x`)).toMatch(/compose\.yaml: services\.web\.environment\.P has a \$\{ without its \}$/);
  expect(of(`\${NONE:?${value} $S}`)).toMatch(/: services\.web\.environment\.P needs the variable NONE; set NONE /);
  expect(of("${a-".repeat(40) + "}".repeat(40))).toMatch(/environment\.P has more than 32 /);
});

function messageOf(failing: () => unknown): string {
  try {
    failing();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return (error as AppError).sentence;
  }
  return expect.unreachable();
}

/** Nine levels of nine aliases. */
function bomb(begin: string, end: string, first = "[W]"): string {
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} ${begin}${`*l${i},`.repeat(9)}${end}`);
  return [`l0: &l0 ${first}`, ...levels].join("\n");
}

test("the project's name is the variable's, the file's or the folder's, in that order", () => {
  const file = { "compose.yaml": "name: from-file\nservices: {}" };
  expect(read(file, [], { COMPOSE_PROJECT_NAME: "from-variable" }).name).toBe("from-variable");
  expect(read(file).name).toBe("from-file");
  expect(read({ "compose.yaml": "services: {}" }).name).toMatch(/^myshop_\d+$/);
});

test("the project's name is a variable for its files, wherever it is from", () => {
  const compose = "services: { a: { image: '$COMPOSE_PROJECT_NAME' } }";
  const of = (files: Record<string, string>, env = {}) => {
    const { name, services } = read({ "compose.yaml": compose, ...files }, [], env);
    expect(services[0]?.image).toBe(name);
    return name;
  };
  expect(of({})).toMatch(/^myshop_\d+$/);
  expect(of({ "compose.override.yaml": "name: '_Over ${MORE:-ride}'" })).toBe("override");
  expect(of({ ".env": "COMPOSE_PROJECT_NAME=dotenv", "compose.override.yaml": "name: other" })).toBe("dotenv");
});

test("a later file may be empty, or say nothing of a service that is known", () => {
  for (const later of ["", "# nothing yet\n", "services: { web: }", "services: {}"]) {
    const { services } = read({
      "compose.yaml": "services: { web: { image: x } }",
      "compose.override.yaml": later,
    });
    expect(services).toMatchObject([{ name: "web", image: "x" }]);
  }
});

test("the files are those given, those of COMPOSE_FILE, or the usual ones, and never what we write", () => {
  const path = folder({
    "docker-compose.yml": "",
    "docker-compose.override.yml": "",
    "a.yaml": "",
    "b.yaml": WRITTEN_BY,
  });
  const names = (given: string[], env: Record<string, string>, output?: string) =>
    findFiles(given, path, undefined, env, output).paths.map((file) => file.slice(path.length + 1));
  expect(names([], {})).toEqual(["docker-compose.yml", "docker-compose.override.yml"]);
  expect(names([], { COMPOSE_FILE: "a.yaml:b.yaml" })).toEqual(["a.yaml", "b.yaml"]);
  expect(names(["a.yaml", "b.yaml"], {}, "b.yaml")).toEqual(["a.yaml"]);
  expect(names(["a.yaml", "b.yaml"], {}, "a.yaml")).toEqual(["a.yaml", "b.yaml"]);
  expect(() => names(["b.yaml"], {}, "b.yaml")).toThrow("b.yaml is the output and no input");
  expect(() => findFiles([], "/nowhere", undefined, {}, undefined)).toThrow(
    "/nowhere has no compose.yaml, nor has a folder above it",
  );
});

test("without a file in the folder, those of the nearest folder above count, as Compose has them", () => {
  const path = folder({
    "compose.yml": "",
    "docker-compose.yml": "",
    "compose.override.yaml": "",
    "compose.override.yml": "",
    ".env": "A=above",
    "sub/deep/x": "",
    "sub/.env": "A=sub",
    "other/compose.yaml": "",
  });
  const found = findFiles([], join(path, "sub/deep"), undefined, {}, undefined);
  expect(found.paths).toEqual([join(path, "compose.yml"), join(path, "compose.override.yml")]);
  expect(found).toMatchObject({ directory: path, target: join(path, "compose.ecs-local.yaml"), env: { A: "above" } });
  const given = findFiles([], join(path, "sub"), "../other", {}, undefined);
  expect(given.paths).toEqual([join(path, "other/compose.yaml")]);
});

test("the variables are those of .env, or of the files that COMPOSE_ENV_FILES names", () => {
  const path = folder({
    "compose.yaml": "",
    ".env": "A: usual\r\nB=1",
    "sub/one.env": "A=one",
    "sub/two.env": "A=two",
  });
  const variables = (env: Record<string, string>) =>
    findFiles(["../compose.yaml"], join(path, "sub"), undefined, env, undefined).env;
  expect(variables({ B: "process" })).toEqual({ A: "usual", B: "process" });
  expect(variables({ COMPOSE_ENV_FILES: "one.env,two.env" })).toMatchObject({ A: "two" });
  writeFileSync(join(path, ".env"), "A=one # said\nB=$A-${C:-c}\nC='$A'\nD=\"${USER}\"\n");
  expect(variables({ USER: "me" })).toEqual({ USER: "me", A: "one", B: "one-c", C: "$A", D: "me" });
  expect(variables({ COMPOSE_DISABLE_ENV_FILE: "1" })).toEqual({ COMPOSE_DISABLE_ENV_FILE: "1" });
});

describe("where no file is given, the folder that it runs in has variables too", () => {
  const SOURCE = { "docker/compose.yml": "services: { web: { image: 'nginx:${TAG}${OWN}' } }" };
  const RUN = "COMPOSE_FILE=docker/compose.yml\nCOMPOSE_PROJECT_NAME=shop\nTAG=7\n";
  const find = (path: string, given: string[] = [], env: Record<string, string> = {}) => {
    const found = findFiles(given, path, undefined, env, undefined);
    const { name, services } = readProject(found);
    const named = found.envFiles.map((file) => file.slice(path.length + 1));
    return { name, image: services[0]?.image, named };
  };
  test("and the first word", () => {
    expect(find(folder({ ...SOURCE, ".env": RUN }))).toEqual({ name: "shop", image: "nginx:7", named: [".env"] });
    const both = folder({ ...SOURCE, ".env": RUN, "docker/.env": "TAG=1\nOWN=own\n" });
    expect(find(both)).toEqual({ name: "shop", image: "nginx:7own", named: ["docker/.env", ".env"] });
    const env = { COMPOSE_FILE: "docker/compose.yml", TAG: "8" };
    expect(find(both, [], env)).toMatchObject({ image: "nginx:8own", named: ["docker/.env", ".env"] });
  });
  test("but not where a file is given, or nothing but the usual is read", () => {
    const path = folder({ ...SOURCE, ".env": RUN, "docker/.env": "TAG=1" });
    expect(find(path, ["docker/compose.yml"])).toEqual({ name: "docker", image: "nginx:1", named: [] });
    const env = { COMPOSE_FILE: "docker/compose.yml", COMPOSE_ENV_FILES: "docker/.env" };
    expect(find(path, [], env)).toEqual({ name: "docker", image: "nginx:1", named: [] });
    const off = { COMPOSE_FILE: "docker/compose.yml", COMPOSE_DISABLE_ENV_FILE: "1" };
    expect(find(path, [], off)).toEqual({ name: "docker", image: "nginx:", named: [] });
    expect(find(folder({ "compose.yaml": "services: { a: { image: x } }", ".env": "A=1" })).named).toEqual([]);
  });
  test("below the project's own", () => {
    const above = folder({ "compose.yaml": "name: p\nservices: { a: { image: '$TAG' } }", "sub/.env": "TAG=7" });
    const found = findFiles([], join(above, "sub"), undefined, {}, undefined);
    expect(found.envFiles).toEqual([join(above, "sub/.env")]);
    expect(readProject(found).services[0]?.image).toBe("7");
  });
});

test("a folder called .env is passed over", () => {
  const path = folder({ "compose.yaml": "services: { a: { image: x } }", ".env/x": "" });
  expect(findFiles([], path, undefined, {}, undefined).env).toEqual({});
});

test("Windows line ends, a byte order mark and UTF-16 are read", () => {
  const text = "\ufeffservices:\r\n  app:\r\n    image: ${IMAGE}\r\n";
  const path = folder({ "compose.yaml": text, ".env": "\ufeffIMAGE=x\r\n" });
  const image = () => readProject(findFiles([], path, undefined, {}, undefined)).services[0]?.image;
  expect(image()).toBe("x");
  const utf16 = Buffer.from(text, "utf16le");
  writeFileSync(join(path, "compose.yaml"), utf16);
  expect(image()).toBe("x");
  writeFileSync(join(path, "compose.yaml"), utf16.swap16());
  expect(image()).toBe("x");
});

for (const [what, text, words] of [
  ["services in a list", "services: [a]", "compose.yaml has services that are no map"],
  ["services that are nothing", "services:", "compose.yaml has services that are no map"],
  ["a service that is a text", "services: { a: x }", "service 'a' of "],
  ["a service that is nothing", "services: { a: }", "service 'a' of "],
  [
    "several documents",
    "services: {}\n---\nservices: {}",
    "is more than one YAML document at line 2, column 1, which only",
  ],
  ["a key twice", "services: { a: { image: x }, b: {}, a: {} }", "compose.yaml has a key twice at line 1, column 37"],
  ["the first of keys twice", "a: 1\na: 2\nb: 1\nb: 2", "compose.yaml has a key twice at line 2, column 1"],
  ["a key twice, in quotes once", "a: 1\n'a': 2", "compose.yaml has a key twice at line 2, column 1"],
] as const) {
  test(`${what} is an error as it is to Compose`, () => {
    expect(messageOf(() => read({ "compose.yaml": text }))).toContain(words);
  });
}

test("a map of very many keys is read in a moment", () => {
  const keys = Array.from({ length: 40_000 }, (_, i) => `  k${i}: 1`).join("\n");
  const names = Array.from({ length: 40_000 }, (_, i) => `V${i}: 1`).join(", ");
  const start = performance.now();
  read({ "compose.yaml": `x-a:\n${keys}\nservices: { a: { environment: { ${names} } } }` });
  // Each key with each takes ten times as long.
  expect(performance.now() - start).toBeLessThan(4000);
});
