import { readdirSync, readFileSync } from "node:fs";
import type { Binaries } from "./binaries.ts";
import { startHelper } from "./helper.ts";
import { oursEnv } from "./ours.ts";
import { freePort, startServer } from "./process.ts";
import { firstAnswer } from "./start.ts";

interface Idle {
  readonly wakeUpsPerSecond: number;
  readonly cpuMsPerSecond: number;
}

export interface IdlePair {
  readonly ours: Idle;
  readonly bare: Idle;
}

const SETTLE_MS = 10_000;

/** What our server and the bare one use while nobody asks, at the same time, with an engine of 20 containers. */
export async function measureIdle({ ours, bare }: Binaries, folder: string, seconds: number): Promise<IdlePair> {
  const engine = await startHelper("engine.ts", "10");
  const [port, barePort] = [freePort(), freePort()];
  const server = startServer([ours, "--offline"], port, oursEnv(port, folder, engine.address));
  const bareServer = startServer([bare, String(barePort)], barePort, {});
  try {
    await firstAnswer(barePort, "/");
    await firstAnswer(port, "/v3/containers/shop-service0-1");
    await Bun.sleep(SETTLE_MS);
    const pids = [server.pid, bareServer.pid];
    const before = pids.map(used);
    await Bun.sleep(seconds * 1_000);
    const [mine, other] = pids.map((pid, index) => {
      const after = used(pid);
      const wakeUps = after.wakeUps - (before[index]?.wakeUps ?? 0);
      const cpuMs = (after.cpuUs - (before[index]?.cpuUs ?? 0)) / 1_000;
      return { wakeUpsPerSecond: wakeUps / seconds, cpuMsPerSecond: cpuMs / seconds };
    });
    if (mine === undefined || other === undefined) throw new Error("two processes are measured");
    return { ours: mine, bare: other };
  } finally {
    await Promise.all([server.stop(), bareServer.stop(), engine.stop()]);
  }
}

/** Each wait of a thread ends with a wake-up: the kernel counts it as a voluntary context switch. */
function used(pid: number): { readonly wakeUps: number; readonly cpuUs: number } {
  let wakeUps = 0;
  let cpuUs = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    const [onCpuNs] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    cpuUs += Number(onCpuNs) / 1_000;
    wakeUps += Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1] ?? 0);
  }
  return { wakeUps, cpuUs };
}
