import { packageManager } from "../../package.json";
import type { Bundled } from "../licenses/bundled.ts";
import type { Commit } from "./commit.ts";
import { PROGRAM, type Target } from "./targets.ts";

const BUN_VERSION = packageManager.slice("bun@".length);

/**
 * Lists as CycloneDX 1.6 what is in the program: the packages that the bundler took, and Bun.
 *
 * Nothing in it changes from one build of a commit to the next, so that it has no serial number.
 */
export function sbom({ version, made }: Commit, packages: readonly Bundled[], targets: readonly Target[]): string {
  const own = `pkg:generic/${PROGRAM}@${encodeURIComponent(version)}`;
  const bun = `pkg:github/oven-sh/bun@bun-v${BUN_VERSION}`;
  const libraries = packages.map(({ name, version: its, license }) => {
    const [scope, rest] = name.startsWith("@") ? name.split("/") : [undefined, name];
    const purl = `pkg:npm/${name.replace("@", "%40")}@${its}`;
    return {
      type: "library",
      "bom-ref": purl,
      ...(scope !== undefined && { group: scope }),
      name: rest,
      version: its,
      licenses: licensesOf(license),
      purl,
    };
  });
  const runtime = {
    type: "platform",
    "bom-ref": bun,
    name: "bun",
    version: BUN_VERSION,
    licenses: licensesOf("MIT"),
    purl: bun,
    properties: targets.map(({ name, bun: { bunSha256 } }) => ({
      name: `sha256:${name}`,
      value: bunSha256,
    })),
  };
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(made * 1000).toISOString(),
      component: {
        type: "application",
        "bom-ref": own,
        name: PROGRAM,
        version,
        licenses: licensesOf("Apache-2.0"),
        purl: own,
      },
    },
    components: [...libraries, runtime],
    dependencies: [{ ref: own, dependsOn: [...libraries.map(({ purl }) => purl), bun] }],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function licensesOf(license: string) {
  return /[ ()]/.test(license) ? [{ expression: license }] : [{ license: { id: license } }];
}
