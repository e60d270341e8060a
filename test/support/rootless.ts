import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRealEngine } from "./real-engine.ts";

const NEEDED = ["podman", "newuidmap", "slirp4netns", "setpriv", "unshare", "useradd", "userdel"];
const IMAGE_SCRIPT = join(import.meta.dir, "engines/_image");

/** Why a rootless Podman cannot be started here; empty where it can. */
export const missing = whyNot();

function whyNot(): string {
  if (process.getuid?.() !== 0) return "who is not root makes no users";
  const absent = NEEDED.filter((command) => Bun.which(command) === null);
  return absent.length > 0 ? `there is no ${absent.join(", ")}` : "";
}

/** A Podman without privileges, of a user that is made for it. `stop` removes both. */
export async function startRootlessPodman() {
  const user = `ecsrl${process.pid}`;
  run("useradd", "--create-home", user);
  const uid = run("id", "-u", user).trim();
  const [home, runtime, folder] = [`/home/${user}`, `/run/user/${uid}`, mkdtempSync(join(tmpdir(), "rootless-"))];
  mkdirSync(runtime, { mode: 0o700, recursive: true });
  run("chown", `${user}:`, runtime);
  const as = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"];
  const env = { HOME: home, XDG_RUNTIME_DIR: runtime, PATH: "/usr/bin:/bin:/usr/sbin:/sbin" };
  // A machine of one user may keep this device for root: the engine alone gets one that it may open.
  const tun = `mknod -m 666 ${folder}/tun c 10 200 && mount --bind ${folder}/tun /dev/net/tun`;
  const service = `chmod 755 ${folder}; ${tun}; exec ${as.join(" ")} podman system service -t 0`;
  Bun.spawn(["unshare", "-m", "--propagation", "private", "sh", "-c", service], {
    cwd: "/",
    env,
    stdio: ["ignore", "ignore", "ignore"],
  });
  const engine = createRealEngine("podman", `${runtime}/podman/podman.sock`);

  async function stop(): Promise<void> {
    await engine.cleanUp().catch(() => undefined);
    for (let turn = 0; turn < 50 && processesOf(uid).length > 0; turn += 1) {
      for (const pid of processesOf(uid)) kill(pid);
      await Bun.sleep(100);
    }
    run("userdel", "--remove", user);
    rmSync(runtime, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await untilAnswers(engine);
    const tar = Bun.file(run("bash", IMAGE_SCRIPT).trim());
    const image = "docker.io/library/lab-busybox";
    await (await engine.call("POST", `/images/create?fromSrc=-&repo=${image}`, new Blob([await tar.bytes()]))).text();
    return { engine, image: `${image}:latest`, env, as, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilAnswers(engine: ReturnType<typeof createRealEngine>): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      await engine.call("GET", "/_ping");
      return;
    } catch (error) {
      if (turn === 50) throw error;
      await Bun.sleep(200);
    }
  }
}

/** Those that run; one that has ended may wait for its parent. */
function processesOf(uid: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        return new RegExp(`^Uid:\\t${uid}\\t`, "m").test(status) && !/^State:\tZ/m.test(status);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function run(...command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { timeout: 20_000 });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}
