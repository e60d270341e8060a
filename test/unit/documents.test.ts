import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseConfig } from "../../src/config/config.ts";

const ROOT = resolve(import.meta.dir, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const pages = [
  ...readdirSync(ROOT).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`),
];
const source = [...new Bun.Glob("**/*.ts").scanSync(join(ROOT, "src"))].map((path) => read(`src/${path}`)).join("\n");
const readme = read("README.md");

/** What a heading is called in an address, as GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
const anchorsOf = (text: string) => [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));

describe("links", () => {
  for (const page of pages) {
    test(`of ${page} lead to a file and a heading that there are`, () => {
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

describe("README.md", () => {
  /** Of every system, or the shell's and Compose's own: nobody sets them for us. */
  const OTHERS = ["HOME", "HOSTNAME", "PATH", "USERPROFILE", "XDG_RUNTIME_DIR", "SUDO_USER"];
  const variables = new Set(
    Array.from(
      source.matchAll(/\benv\.([A-Z][A-Z\d_]+)|\b(?:read|flag|list|choice|url)\("([A-Z]+_[A-Z\d_]+)"/g),
      ([, direct, named]) => direct ?? named ?? "",
    ),
  );
  for (const variable of variables) {
    if (OTHERS.includes(variable) || variable.startsWith("COMPOSE_")) continue;
    test(`says what ${variable} does`, () => expect(readme).toMatch(new RegExp(`\\b${variable}\\b`)));
  }
  test("names no variable of ours that has no effect", () => {
    for (const [, variable = ""] of readme.matchAll(/\b(ECS_LOCAL_[A-Z_]+)/g)) {
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
    test(`tells ${variable}'s default`, () => {
      const [, stated = ""] = new RegExp(`^\\|[^|\n]*\`${variable}\`[^|\n]*\\|([^|\n]*)\\|`, "m").exec(readme) ?? [];
      expect(stated.replaceAll("`", "").split(/[ ,]+/)).toContain(String(value));
    });
  }

  /** What another program says, or nobody. */
  const NOT_OURS = [
    "Pool overlaps with other one on this address space",
    "Address already in use",
    "pull access denied for ecs-local-endpoints",
  ];
  const table = readme.slice(readme.indexOf("## When it does not work"), readme.indexOf("Anything else:"));
  for (const text of [...table.matchAll(/^\| `([^|]+)` \|/gm)].flatMap(([, texts = ""]) => texts.split("`, `"))) {
    if (NOT_OURS.includes(text)) continue;
    test(`quotes '${text}' as it is said`, () => {
      for (const part of text.split(/\s*\.\.\.\s*|'\.\.\.'|'dev'|\/bin\/sh|x-forwarded-for/)) {
        const said = part.replace(/^,\s*/, "").trim();
        expect([said, source.includes(said)]).toEqual([said, true]);
      }
    });
  }

  test("has a Compose file that can be read, with the address that SDKs ask at", () => {
    const snippet = /^ {4}services:\n(?: {4}.*\n)+/m.exec(readme)?.[0].replace("<yours>", "x") ?? "";
    const { services, networks } = Bun.YAML.parse(snippet) as Record<string, Record<string, Record<string, unknown>>>;
    expect(services?.endpoints?.networks).toEqual({ ecs: { ipv4_address: "169.254.170.2" } });
    expect(services?.endpoints?.environment).toEqual({ AWS_PROFILE: null, AWS_REGION: null, ECS_LOCAL_OFFLINE: null });
    expect(services?.app?.networks).toEqual(["ecs"]);
    expect(JSON.stringify(networks?.ecs)).toContain('"169.254.170.0/24"');
  });
});
