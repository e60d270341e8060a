import { expect, test } from "bun:test";
import { join, normalize } from "node:path";

const SRC = join(import.meta.dir, "../../src");
const LEAVES = ["errors.ts", "log.ts", "text.ts", "timeout.ts", "version.ts", "own-request.ts"];

/** Each layer, the layers it may import besides itself, and why it may import no others. */
const LAYERS: readonly (readonly [layer: string, imports: readonly string[], reason: string])[] = [
  [
    "main.ts",
    ["cli.ts", "cli/", "commands/", "network/", "engine/", "aws/", "config/"],
    "it runs a command when it is imported",
  ],
  ["cli.ts", ["cli/", "commands/", "network/", "config/"], "it only declares options and help texts"],
  ["cli/", ["commands/", "network/", "config/"], "it only reads and prints text"],
  [
    "commands/",
    ["app.ts", "routes/", "credentials/", "metadata/", "network/", "engine/", "aws/", "config/"],
    "commands compose everything else",
  ],
  [
    "app.ts",
    ["routes/", "credentials/", "metadata/", "engine/", "aws/", "config/"],
    "the app receives its dependencies from a command",
  ],
  ["routes/", ["credentials/", "metadata/", "engine/", "aws/types.ts", "config/"], "only routes and the app know HTTP"],
  ["credentials/", ["aws/types.ts", "config/"], "the credential cache does not depend on containers"],
  ["metadata/", ["engine/", "config/"], "metadata describes containers and never holds credentials"],
  ["network/", ["engine/", "config/"], "only the network command changes the machine's rules"],
  ["engine/", ["config/"], "the engine client does not know what its data is used for"],
  ["aws/", ["config/"], "the AWS client does not depend on containers"],
  ["config/", [], "configuration is parsed before anything else is built"],
  ...LEAVES.map((leaf) => [leaf, [], "every layer may use it"] as const),
];

/** Each package that only some layers may import, and why. */
const PACKAGES: readonly (readonly [pattern: RegExp, layers: readonly string[], reason: string])[] = [
  [/^(elysia|@elysiajs)(\/|$)/, ["app.ts", "routes/"], "the next major version must change nothing else"],
  [/^(@aws-sdk|@smithy)\//, ["aws/"], "the SDK is loaded on first need and its errors become ours there"],
  [/^dockerode$/, [], "engine/schema.ts declares the fields that we read"],
];

const files = [...new Bun.Glob("**/*.ts").scanSync(SRC)].sort();
const imports = new Map(await Promise.all(files.map(async (file) => [file, await importsOf(file)] as const)));

test("every file imports only what its layer may import", () => {
  const refused = [...imports].flatMap(([file, targets]) =>
    targets.flatMap((target) => {
      const reason = refusal(file, target);
      return reason === undefined ? [] : [`${file} imports ${target}, but ${reason}`];
    }),
  );
  expect(refused).toEqual([]);
});

test("an import against the direction is refused with its reason", () => {
  expect(refusal("engine/client.ts", "routes/path.ts")).toContain("engine/ may not import routes/path.ts");
  expect(refusal("metadata/task.ts", "elysia")).toContain("next major version");
  expect(refusal("routes/path.ts", "elysia")).toBeUndefined();
});

test("no files import each other in a circle, not even for types", () => {
  expect(files.flatMap((file) => circleFrom(file) ?? [])).toEqual([]);
});

async function importsOf(file: string): Promise<string[]> {
  const source = await Bun.file(join(SRC, file)).text();
  const specifiers = [...source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map(
    ([, specifier = ""]) => specifier,
  );
  return specifiers.map((specifier) =>
    specifier.startsWith(".") ? normalize(join(file, "..", specifier)) : specifier,
  );
}

function layerOf(file: string): string {
  return file.includes("/") ? file.slice(0, file.indexOf("/") + 1) : file;
}

function refusal(file: string, target: string): string | undefined {
  const layer = layerOf(file);
  if (!target.endsWith(".ts")) {
    const rule = PACKAGES.find(([pattern, layers]) => pattern.test(target) && !layers.includes(layer));
    return rule && `${target} is for ${rule[1].join(" and ") || "tests"} only: ${rule[2]}`;
  }
  if (layerOf(target) === layer) return undefined;
  const row = LAYERS.find(([name]) => name === layer);
  if (row === undefined) return `${layer} is in no row of this table`;
  const allowed = [...row[1], ...LEAVES].some(
    (name) => target === name || (name.endsWith("/") && target.startsWith(name)),
  );
  return allowed ? undefined : `${layer} may not import ${target}: ${row[2]}`;
}

function circleFrom(start: string): string | undefined {
  const seen = new Set<string>();
  const paths = [[start]];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    for (const target of imports.get(path.at(-1) ?? "") ?? []) {
      if (target === start) return [...path, start].join(" -> ");
      if (seen.has(target)) continue;
      seen.add(target);
      paths.push([...path, target]);
    }
  }
  return undefined;
}
