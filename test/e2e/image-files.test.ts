import { afterAll, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { version } from "../../package.json";
import { OWN_ARCH } from "../../scripts/container/build.ts";
import { describeOneEngine } from "../support/engines.ts";
import { machineOf, needsOf, unpackImage } from "../support/image-files.ts";

const ROOT = resolve(import.meta.dir, "../..");
const SCRIPT = join(ROOT, "scripts/image");
const IMAGE = `docker.io/library/ecs-local-endpoints-script-${process.pid}`;
const DOC = "usr/share/doc";
const TERMS = [
  `${DOC}/ca-certificates/copyright`,
  `${DOC}/ecs-local-endpoints/LICENSE`,
  `${DOC}/ecs-local-endpoints/THIRD-PARTY.txt`,
  `${DOC}/libc6/copyright`,
];
const CA_FILE = "etc/ssl/certs/ca-certificates.crt";
const TIMEOUT_MS = 120_000;

const PLACES = {
  amd64: { machine: /X86-64/, loader: "lib64/ld-linux-x86-64.so.2", libraries: "lib/x86_64-linux-gnu" },
  arm64: { machine: /AArch64/, loader: "lib/ld-linux-aarch64.so.1", libraries: "lib/aarch64-linux-gnu" },
} as const;

interface Described {
  readonly Architecture: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
}

function labels(): Record<string, string> {
  const git = (...args: string[]) =>
    Bun.spawnSync(["git", ...args], { cwd: ROOT })
      .stdout.toString()
      .trim();
  const changed = git("diff", "HEAD", "--name-only") === "" ? "" : "-dirty";
  return {
    "org.opencontainers.image.title": "ecs-local-endpoints",
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.revision": `${git("rev-parse", "HEAD")}${changed}`,
    "org.opencontainers.image.source": "https://github.com/owner/repository",
  };
}

describeOneEngine("scripts/image", (engine) => {
  afterAll(async () => {
    // One is there only where its test was run.
    for (const arch of Object.keys(PLACES)) {
      await engine.call("DELETE", `/images/${IMAGE}:${arch}?force=true`).catch(() => {});
    }
  }, TIMEOUT_MS);

  for (const arch of ["amd64", "arm64"] as const) {
    const own = arch === OWN_ARCH ? ", which is this machine's," : "";
    test(
      `builds for ${arch}${own} the program, what it is linked with, authorities, and the terms of all, and nothing else`,
      async () => {
        const tag = `${IMAGE}:${arch}`;
        const env = { ...process.env, DOCKER_HOST: engine.host, GITHUB_REPOSITORY: "owner/repository" };
        const args = arch === OWN_ARCH ? [] : ["--arch", arch];
        const build = Bun.spawn([SCRIPT, ...args, "--tag", tag], { env, cwd: "/", stdout: "pipe", stderr: "pipe" });
        const [stdout, stderr] = await Promise.all([build.stdout.text(), build.stderr.text()]);
        expect(await build.exited, stderr).toBe(0);
        expect(stdout).toMatch(new RegExp(`^${tag} linux/${arch}: [45]\\d\\.\\d MB compressed\n$`));

        const described = (await (await engine.call("GET", `/images/${tag}/json`)).json()) as Described;
        expect(described.Architecture).toBe(arch);
        expect(described.Config.Labels).toMatchObject(labels());
        const { root, remove } = await unpackImage(engine, tag);
        try {
          await expectFiles(root, PLACES[arch]);
        } finally {
          remove();
        }
      },
      TIMEOUT_MS,
    );
  }
});

/** Exactly what is needed, by what the files themselves say; and each of it is for the architecture. */
async function expectFiles(root: string, { machine, loader, libraries }: (typeof PLACES)["amd64" | "arm64"]) {
  const paths = (readdirSync(root, { recursive: true }) as string[]).filter((path) =>
    statSync(join(root, path)).isFile(),
  );
  const linked = paths.filter((path) => path !== CA_FILE && !TERMS.includes(path));
  const needed = linked.flatMap((path) => needsOf(join(root, path)));
  const places = needed.map((name) => (loader.endsWith(name) ? loader : `${libraries}/${name}`));
  expect(paths.sort()).toEqual([...new Set(["ecs-local-endpoints", CA_FILE, ...TERMS, ...places])].sort());
  for (const path of linked) expect(machineOf(join(root, path)), path).toMatch(machine);
  const executable = paths.filter((path) => statSync(join(root, path)).mode & 0o111);
  expect(executable.sort()).toEqual(linked.sort());
  await expectTerms(root);
  const authorities = await Bun.file(join(root, CA_FILE)).text();
  expect(authorities.match(/-----BEGIN CERTIFICATE-----/g)?.length).toBeGreaterThan(100);
}

/** Those of what is in the image: a copyleft of glibc and of the engine of JavaScript, and one of the authorities. */
async function expectTerms(root: string): Promise<void> {
  const read = (path: string) => Bun.file(join(root, DOC, path)).text();
  expect(await read("ecs-local-endpoints/LICENSE")).toBe(await Bun.file(join(ROOT, "LICENSE")).text());
  const thirdParty = await read("ecs-local-endpoints/THIRD-PARTY.txt");
  for (const file of ["libc6_", "ca-certificates_"]) expect(thirdParty).toMatch(new RegExp(`^${file}.*\\.deb$`, "m"));
  expect(thirdParty).toMatch(/^@aws-sdk\/client-sts \S+: Apache-2\.0$/m);
  expect(thirdParty).toContain("GNU LESSER GENERAL PUBLIC LICENSE\n");
  expect(await read("libc6/copyright")).toContain("GNU Lesser General Public");
  expect(await read("ca-certificates/copyright")).toContain("Mozilla Public License Version 2.0");
}
