import { afterAll, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { OWN_ARCH } from "../../scripts/container/build.ts";
import { describeEngines } from "../support/engines.ts";
import { machineOf, needsOf, unpackImage } from "../support/image-files.ts";

const SCRIPT = resolve(import.meta.dir, "../../scripts/image");
const IMAGE = `docker.io/library/ecs-local-endpoints-script-${process.pid}`;
const CA_FILE = "etc/ssl/certs/ca-certificates.crt";
const TIMEOUT_MS = 120_000;

const PLACES = {
  amd64: { machine: /X86-64/, loader: "lib64/ld-linux-x86-64.so.2", libraries: "lib/x86_64-linux-gnu" },
  arm64: { machine: /AArch64/, loader: "lib/ld-linux-aarch64.so.1", libraries: "lib/aarch64-linux-gnu" },
} as const;

describeEngines("scripts/image", ({ engine }) => {
  afterAll(async () => {
    // One is there only where its test was run.
    for (const arch of Object.keys(PLACES)) {
      await engine.call("DELETE", `/images/${IMAGE}:${arch}?force=true`).catch(() => {});
    }
  }, TIMEOUT_MS);

  for (const arch of ["amd64", "arm64"] as const) {
    const own = arch === OWN_ARCH ? ", which is this machine's," : "";
    test(
      `builds for ${arch}${own} the program, what it is linked with, and authorities, and nothing else`,
      async () => {
        const tag = `${IMAGE}:${arch}`;
        const env = { ...process.env, DOCKER_HOST: engine.host };
        const args = arch === OWN_ARCH ? [] : ["--arch", arch];
        const build = Bun.spawn([SCRIPT, ...args, "--tag", tag], { env, cwd: "/", stdout: "pipe", stderr: "pipe" });
        const [stdout, stderr] = await Promise.all([build.stdout.text(), build.stderr.text()]);
        expect(await build.exited, stderr).toBe(0);
        expect(stdout).toMatch(new RegExp(`^${tag} linux/${arch}: [45]\\d\\.\\d MB compressed\n$`));

        const described = (await (await engine.call("GET", `/images/${tag}/json`)).json()) as { Architecture: string };
        expect(described.Architecture).toBe(arch);
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
  const linked = paths.filter((path) => path !== CA_FILE);
  const needed = linked.flatMap((path) => needsOf(join(root, path)));
  const places = needed.map((name) => (loader.endsWith(name) ? loader : `${libraries}/${name}`));
  expect(paths.sort()).toEqual([...new Set(["ecs-local-endpoints", CA_FILE, ...places])].sort());
  for (const path of linked) expect(machineOf(join(root, path)), path).toMatch(machine);
  const authorities = await Bun.file(join(root, CA_FILE)).text();
  expect(authorities.match(/-----BEGIN CERTIFICATE-----/g)?.length).toBeGreaterThan(100);
}
