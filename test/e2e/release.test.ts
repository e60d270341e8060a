import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { packageManager, version } from "../../package.json";
import { digest } from "../../scripts/container/debian.ts";
import { archiveName, ownTargets, TARGETS } from "../../scripts/distribution/targets.ts";
import { needsOf } from "../support/image-files.ts";
import { muslRoot } from "../support/musl-root.ts";
import { glibcOf, headerOf, NEEDS, platformOf, signatureFaults } from "../support/programs.ts";
import { describeWhere } from "../support/tools.ts";

const root = resolve(import.meta.dir, "../..");
const TIMEOUT_MS = process.env.FULL === "1" ? 600_000 : 180_000;
const targets = process.env.FULL === "1" ? TARGETS : ownTargets();

let folder: string;
let release: string;
let files: string[];
/** As the archives' names have it. */
let released: string;

interface Where {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly umask?: string;
}

async function makeRelease(out: string, args: string[] = [], where: Where = {}): Promise<string> {
  const { cwd = "/", env = {}, umask = "022" } = where;
  const command = [join(root, "scripts/release"), "--snapshot", "--out", out, ...args];
  const run = Bun.spawn(["sh", "-c", `umask ${umask} && exec "$@"`, "sh", ...command], {
    ...{ cwd, env: { ...process.env, ...env } },
    ...{ stdout: "pipe", stderr: "pipe" },
  });
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text()]);
  expect(await run.exited, stderr).toBe(0);
  return stdout;
}

let said: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ecs-local-release-"));
  release = join(folder, "release");
  said = await makeRelease(release);
  files = readdirSync(release);
  released = files.find((file) => file.endsWith(".cdx.json"))?.slice("ecs-local-endpoints_".length, -9) ?? "";
}, TIMEOUT_MS);
afterAll(() => rmSync(folder, { recursive: true }));

const read = (file: string) => readFileSync(join(release, file), "utf8");

test("a snapshot says of each target what it needs, and has an archive of it", () => {
  expect(said.trim().split("\n")).toEqual(
    targets.map((target) => `${archiveName(released, target)}.tar.gz: needs ${target.needs}`),
  );
  expect(released).toMatch(new RegExp(`^${version.replaceAll(".", "\\.")}-snapshot\\.[0-9a-f]{12}(-dirty)?$`));
  const archives = targets.map((target) => `${archiveName(released, target)}.tar.gz`);
  const others = ["SHA256SUMS", "ecs-local-endpoints.rb", `ecs-local-endpoints_${released}.cdx.json`, "install.sh"];
  expect(files.sort()).toEqual([...archives, ...others].sort());
});

test("SHA256SUMS has each file but itself, and each is as it says", () => {
  const lines = read("SHA256SUMS").trimEnd().split("\n");
  const sums = Object.fromEntries(lines.map((line) => line.split("  ").reverse() as [string, string]));
  for (const file of files.filter((each) => each !== "SHA256SUMS")) {
    expect(sums[file], file).toBe(digest(readFileSync(join(release, file))));
  }
  expect(lines).toHaveLength(files.length - 1);
});

for (const target of targets) {
  describe(`the archive for ${target.name}`, () => {
    let unpacked: string;
    beforeAll(() => {
      const name = archiveName(released, target);
      expect(Bun.spawnSync(["tar", "-xzf", join(release, `${name}.tar.gz`), "-C", folder]).success).toBe(true);
      unpacked = join(folder, name);
    });

    test("holds the program, licences, pages and a service file, and nothing else", () => {
      const service = target.os === "linux" ? "ecs-local-endpoints@.service" : "ecs-local-endpoints.plist";
      const held = (readdirSync(unpacked, { recursive: true }) as string[]).filter((path) =>
        statSync(join(unpacked, path)).isFile(),
      );
      const pages = held.filter((path) =>
        /^(\w+\.md|docs\/[\w-]+\.md|examples\/[\w-]+\/[\w-]+\.(yaml|json))$/.test(path),
      );
      expect(held.filter((path) => !pages.includes(path)).sort()).toEqual([
        "LICENSE",
        "THIRD-PARTY.txt",
        "ecs-local-endpoints",
        `packaging/${service}`,
      ]);
      const executable = held.filter((path) => statSync(join(unpacked, path)).mode & 0o111);
      expect(executable).toEqual(["ecs-local-endpoints"]);
    });

    test("has each page and file that its README leads to", () => {
      const readme = readFileSync(join(unpacked, "README.md"), "utf8");
      for (const [, path = ""] of readme.matchAll(/\]\((?!https?:)([^)#\s]+)/g)) {
        expect([path, existsSync(join(unpacked, path))]).toEqual([path, true]);
      }
    });

    test("is for its system and processor, and needs what is said", () => {
      const program = join(unpacked, "ecs-local-endpoints");
      expect(headerOf(program)).toBe(platformOf(target));
      if (target.libc === undefined) {
        expect(signatureFaults(readFileSync(program))).toEqual([]);
        return;
      }
      expect(needsOf(program).sort()).toEqual(NEEDS[target.libc][target.arch]);
      expect(glibcOf(program)).toBe(target.libc === "glibc" ? "2.17" : undefined);
    });
  });
}

const expectVersion = (stdout: Buffer, target: string) =>
  expect(stdout.toString()).toBe(`ecs-local-endpoints ${version} (${released.split("snapshot.")[1]}, bun-${target})\n`);

describeWhere("this machine", process.platform === "linux" ? undefined : "it is not Linux", () => {
  test("runs its program, which names version, commit and target", () => {
    const own = `linux-${process.arch}`;
    const target = targets.find(({ name }) => name === own);
    if (target === undefined) throw new Error(`there is no target ${own}`);
    const { stdout } = Bun.spawnSync([join(folder, archiveName(released, target), "ecs-local-endpoints"), "--version"]);
    expectVersion(stdout, own);
  });
});

const cannotChroot = process.getuid?.() !== 0 ? "chroot needs root" : undefined;
const hasNoMusl = process.platform === "linux" && process.arch === "x64" ? undefined : "it is not Linux on x64";
describeWhere("a root of its own that has musl and libstdc++ alone", hasNoMusl ?? cannotChroot, () => {
  test(
    "runs the program for musl",
    async () => {
      const target = targets.find(({ name }) => name === "linux-x64-musl");
      if (target === undefined) throw new Error("there is no target linux-x64-musl");
      const musl = await muslRoot();
      try {
        const program = join(musl.folder, "ecs-local-endpoints");
        cpSync(join(folder, archiveName(released, target), "ecs-local-endpoints"), program);
        chmodSync(program, 0o755);
        const run = Bun.spawnSync(["chroot", musl.folder, "/ecs-local-endpoints", "--version"], {
          env: { PATH: process.env.PATH ?? "" },
        });
        expect(run.stderr.toString()).toBe("");
        expectVersion(run.stdout, target.name);
      } finally {
        musl.remove();
      }
    },
    TIMEOUT_MS,
  );
});

test("a folder that holds something else is not emptied for a release, though it has checksums", () => {
  const full = join(folder, "full");
  mkdirSync(full);
  for (const name of ["SHA256SUMS", "mine"]) writeFileSync(join(full, name), "");
  const { exitCode, stderr } = Bun.spawnSync([join(root, "scripts/release"), "--snapshot", "--out", full], {
    cwd: "/",
  });
  expect([exitCode, readdirSync(full).sort()]).toEqual([1, ["SHA256SUMS", "mine"]]);
  expect(stderr.toString()).toStartWith(`release: ${full} holds something else than a release: 'mine'\nhint: `);
});

test("what is not a target is refused before anything is made", () => {
  const args = ["--snapshot", "--targets", "windows-x64", "--out", join(folder, "refused")];
  const unknown = Bun.spawnSync([join(root, "scripts/release"), ...args], { cwd: "/" });
  expect(unknown.exitCode).toBe(2);
  expect(unknown.stderr.toString()).toStartWith(
    "release: --targets has 'windows-x64', which is not one of linux-x64, ",
  );
  expect(readdirSync(folder)).not.toContain("refused");
});

test("the formula's addresses and checksums are those of the archives", () => {
  const pairs = [...read("ecs-local-endpoints.rb").matchAll(/url "(.+)"\n\s+sha256 "(.+)"/g)];
  expect(pairs.map(([, url]) => url).sort()).toEqual(
    targets
      .filter(({ libc }) => libc !== "musl")
      .map((target) => `file://${release}/${archiveName(released, target)}.tar.gz`)
      .sort(),
  );
  for (const [, url = "", sha256] of pairs) expect(sha256).toBe(digest(readFileSync(new URL(url))));
});

test("what the formula installs is in its archives", () => {
  const [, steps = ""] = /def install\n(.*?)\n {2}end/s.exec(read("ecs-local-endpoints.rb")) ?? [];
  const paths = [...steps.replace(/ => ".*"/g, "").matchAll(/"([^"]+)"/g)].map(([, path = ""]) => path);
  expect(paths).toHaveLength(6);
  for (const target of targets.filter(({ libc }) => libc !== "musl")) {
    for (const path of paths) statSync(join(folder, archiveName(released, target), path));
  }
});

describeWhere("ruby", Bun.which("ruby") ? undefined : "ruby is not installed", () => {
  test("parses the formula", () => {
    const run = Bun.spawnSync(["ruby", "-c", join(release, "ecs-local-endpoints.rb")]);
    expect(run.stdout.toString()).toBe("Syntax OK\n");
  });
});

test("the bill of materials lists what the bundler took, as the lock file has it, and Bun", async () => {
  const metafile = join(folder, "metafile.json");
  const args = [`--outfile=${join(folder, "program")}`, `--metafile=${metafile}`];
  expect(Bun.spawnSync([process.execPath, join(root, "scripts/build.ts"), ...args]).success).toBe(true);
  const { inputs } = (await Bun.file(metafile).json()) as { inputs: Record<string, unknown> };
  const names = Object.keys(inputs).flatMap((path) => path.match(/.*node_modules\/((@[^/]+\/)?[^/]+)/)?.[1] ?? []);

  const bill = JSON.parse(read(`ecs-local-endpoints_${released}.cdx.json`));
  const libraries = bill.components.filter(({ type }: { type: string }) => type === "library") as {
    group?: string;
    name: string;
    version: string;
    purl: string;
    licenses: unknown[];
  }[];
  const nameOf = ({ group, name }: { group?: string; name: string }) => (group ? `${group}/${name}` : name);
  expect(libraries.map(nameOf).sort()).toEqual([...new Set(names)].sort());
  const lock = await Bun.file(join(root, "bun.lock")).text();
  const [own] = targets;
  const notices = own && readFileSync(join(folder, archiveName(released, own), "THIRD-PARTY.txt"), "utf8");
  for (const library of libraries) {
    expect(lock).toContain(`["${nameOf(library)}@${library.version}", `);
    expect(library.purl).toBe(`pkg:npm/${nameOf(library).replace("@", "%40")}@${library.version}`);
    expect(library.licenses).toHaveLength(1);
    expect(notices).toContain(`\n${nameOf(library)} ${library.version}: `);
  }
  expect(notices).toContain(`\n${packageManager.replace("bun@", "Bun ")}: MIT`);
  expect(notices).toContain("GNU LESSER GENERAL PUBLIC LICENSE\n");
  expect([bill.bomFormat, bill.specVersion, bill.metadata.component.version]).toEqual(["CycloneDX", "1.6", released]);
  const others = bill.components.filter(({ type }: { type: string }) => type !== "library");
  expect(others.map(nameOf)).toEqual(["bun"]);
  expect(`bun@${others[0].version}`).toBe(packageManager);
});

test("install.sh installs from where the release was made", () => {
  const dir = join(folder, "installed");
  mkdirSync(dir);
  const run = Bun.spawnSync(["sh", join(release, "install.sh"), "--dir", dir]);
  expect(run.stderr.toString()).toBe(`hint: ${dir} is not in your PATH\n`);
  expect(run.stdout.toString()).toEndWith(`installed as ${dir}/ecs-local-endpoints\n`);
  const installed = Bun.spawnSync([join(dir, "ecs-local-endpoints"), "--version"]);
  expectVersion(installed.stdout, `${process.platform}-${process.arch}`);
  expect(readdirSync(dir)).toEqual(["ecs-local-endpoints"]);
}, 30_000);

/** A folder of somebody whose Bun says more, and makes another program. */
function foreignFolder(): string {
  const path = join(folder, "of another project");
  mkdirSync(path);
  writeFileSync(join(path, "bunfig.toml"), 'preload = ["./said.ts"]\n');
  writeFileSync(join(path, "said.ts"), 'console.log("of another project");\n');
  writeFileSync(join(path, ".env"), "NODE_ENV=development\nSOURCE_DATE_EPOCH=1\nGIT_DIR=/nonexistent\n");
  writeFileSync(join(path, "tsconfig.json"), '{ "compilerOptions": { "jsx": "react", "baseUrl": "/nonexistent" } }\n');
  return path;
}

test(
  "a second release of the same files, from and in a folder with a space, with another umask, time zone and language, has the same archive, lists the same, and is installed",
  async () => {
    const again = join(folder, "once again");
    const [own] = targets;
    if (own === undefined) throw new Error("this machine has no target");
    const env = { TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" };
    const where = { cwd: foreignFolder(), env, umask: "077" };
    await makeRelease(again, ["--targets", `${own.name},${own.name}`], where);
    const archive = `${archiveName(released, own)}.tar.gz`;
    expect(digest(readFileSync(join(again, archive)))).toBe(digest(readFileSync(join(release, archive))));
    const bill = JSON.parse(readFileSync(join(again, `ecs-local-endpoints_${released}.cdx.json`), "utf8"));
    const libraries = ({ components }: { components: { type: string }[] }) =>
      components.filter(({ type }) => type === "library");
    expect(libraries(bill)).toEqual(libraries(JSON.parse(read(`ecs-local-endpoints_${released}.cdx.json`))));
    const dir = join(folder, "in stalled");
    const run = Bun.spawnSync(["sh", join(again, "install.sh"), "--dir", dir]);
    expect([run.exitCode, readdirSync(dir)]).toEqual([0, ["ecs-local-endpoints"]]);
  },
  TIMEOUT_MS,
);
