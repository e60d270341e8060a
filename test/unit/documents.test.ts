import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArguments } from "../../src/cli.ts";
import { parseConfig } from "../../src/config/config.ts";

const ROOT = resolve(import.meta.dir, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const pages = [
  ...readdirSync(ROOT).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`),
];
const source = [...new Bun.Glob("**/*.ts").scanSync(join(ROOT, "src"))].map((path) => read(`src/${path}`)).join("\n");
const readme = read("README.md");
const configuration = read("docs/configuration.md");

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
const anchorsOf = (text: string) => [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));

describe("links", () => {
  for (const page of pages) {
    test(`of ${page} lead to existing files and headings`, () => {
      for (const [, target = ""] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path, anchor] = target.split("#");
        const file = path ? join(dirname(page), path) : page;
        expect([page, target, existsSync(join(ROOT, file))]).toEqual([page, target, true]);
        if (anchor) expect(anchorsOf(read(file))).toContain(anchor);
      }
    });
  }
});

describe("docs/configuration.md", () => {
  /** Variables of the system, the shell and Compose. They are not set for this program. */
  const OTHERS = ["HOME", "HOSTNAME", "PATH", "USERPROFILE", "XDG_RUNTIME_DIR", "SUDO_USER"];
  const table = configuration
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .join("\n");
  const variables = new Set(
    Array.from(
      source.matchAll(/\benv\.([A-Z][A-Z\d_]+)|\b(?:read|flag|list|choice|url)\("([A-Z]+_[A-Z\d_]+)"/g),
      ([, direct, named]) => direct ?? named ?? "",
    ),
  );
  for (const variable of variables) {
    if (OTHERS.includes(variable) || variable.startsWith("COMPOSE_")) continue;
    test(`explains ${variable}`, () => expect(table).toMatch(new RegExp(`\\b${variable}\\b`)));
  }
  test("and README.md name only ECS_LOCAL_ variables that the source reads", () => {
    for (const [, variable = ""] of (readme + configuration).matchAll(/\b(ECS_LOCAL_[A-Z_]*[A-Z])/g)) {
      expect([variable, source.includes(variable)]).toEqual([variable, true]);
    }
  });

  const { aws, ...config } = parseConfig({});
  const defaults = {
    ECS_LOCAL_METADATA_PORT: config.port,
    ECS_LOCAL_BIND_ADDRESS: config.bindAddress,
    ECS_LOCAL_LOG_LEVEL: config.logLevel,
    ECS_LOCAL_LOG_FORMAT: config.logFormat,
    ECS_LOCAL_OFFLINE: config.offline || "off",
    ECS_LOCAL_USE_TASK_ROLE: config.useTaskRole || "off",
    ECS_LOCAL_REFUSE_GATEWAY: config.access.refuseGateway || "off",
    ECS_LOCAL_ALLOWED_ROLES: config.access.allowedRoles ?? "all",
    ECS_TASK_METADATA_RPS_LIMIT: config.access.rateLimit ?? "off",
    ECS_LOCAL_SESSION_DURATION: aws.sessionDurationSeconds,
    SHARED_TOKEN_EXPIRATION: aws.sharedTokenExpirationSeconds,
    CLUSTER_ARN: config.task.cluster,
    TASK_ARN: config.task.taskArn,
    TASK_DEFINITION_FAMILY: config.task.family,
    TASK_DEFINITION_REVISION: config.task.revision,
  };
  for (const [variable, value] of Object.entries(defaults)) {
    test(`has the default of ${variable}`, () => {
      const [, stated = ""] = new RegExp(`^\\|[^|\n]*\`${variable}\`[^|\n]*\\|([^|\n]*)\\|`, "m").exec(table) ?? [];
      expect(stated.replaceAll("`", "").split(/[ ,]+/)).toContain(String(value));
    });
  }

  test("is one table", () => {
    expect(configuration.match(/^\| variable \| default \| meaning \|$/gm)).toHaveLength(1);
  });
});

describe("README.md", () => {
  test("has at most 220 lines", () => expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(220));

  test("lists its sections in the table of contents", () => {
    const sections = [...readme.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
    const contents = readme.slice(readme.indexOf("**Contents:**"), readme.indexOf("## "));
    expect([...contents.matchAll(/\(#([^)]+)\)/g)].map(([, anchor]) => anchor)).toEqual(sections);
  });

  const commands = [...readme.replaceAll(/\\\n\s*/g, "").matchAll(/^ {4}\$ (.+?)(?:\s+# .*)?$/gm)].map(
    ([, line = ""]) => line,
  );
  for (const line of new Set(commands)) {
    const [, script, args] = /(\.\/scripts\/\S+)|(?:^|sudo )ecs-local-endpoints\s?(.*)$/.exec(line) ?? [];
    if (script !== undefined) {
      test(`has the script of '${line}'`, () => expect(statSync(join(ROOT, script)).mode & 0o111).not.toBe(0));
    } else if (args !== undefined) {
      test(`has a command line that the program accepts: '${line}'`, () => {
        expect(parseArguments(args.split(" ").filter(Boolean), "test").kind).not.toBe("exit");
      });
    }
  }

  /** Messages of other programs. */
  const NOT_OURS = [
    "Pool overlaps with other one on this address space",
    "Address already in use",
    "pull access denied for ecs-local-endpoints",
  ];
  const table = readme.slice(readme.indexOf("## Troubleshooting"), readme.indexOf("Every error, with its remedy:"));
  for (const text of [...table.matchAll(/^\| `([^|]+)` \|/gm)].flatMap(([, texts = ""]) => texts.split("`, `"))) {
    if (NOT_OURS.includes(text)) continue;
    test(`quotes the message '${text}'`, () => expect([text, source.includes(text)]).toEqual([text, true]));
  }

  test("has a Compose file with the server at the address that SDKs ask", () => {
    const snippet = /^```yaml\n(services:\n[\s\S]+?)^```$/m.exec(readme)?.[1] ?? "";
    expect(snippet.split("\n").filter((line) => line.length > 80)).toEqual([]);
    const { services, networks } = Bun.YAML.parse(snippet) as Record<string, Record<string, Record<string, unknown>>>;
    expect(services?.endpoints?.networks).toEqual({ ecs: { ipv4_address: "169.254.170.2" } });
    expect(services?.endpoints?.environment).toEqual({ AWS_PROFILE: null, AWS_REGION: null, ECS_LOCAL_OFFLINE: null });
    expect(services?.app?.networks).toEqual(["ecs"]);
    expect(JSON.stringify(networks?.ecs)).toContain('"169.254.170.0/24"');
  });
});

test("ARCHITECTURE.md has at most 120 lines and names only files that exist", () => {
  const text = read("ARCHITECTURE.md");
  expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(120);
  const paths = Array.from(text.matchAll(/[a-z][\w./-]*\.(?:ts|md)\b|`[a-z]+\/(?:[a-z]+\/)?`/g), ([path]) =>
    path.replaceAll("`", ""),
  );
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => ![path, `src/${path}`].some((file) => existsSync(join(ROOT, file))))).toEqual([]);
});
