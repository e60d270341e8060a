import type { Binaries } from "./binaries.ts";
import { startHelper } from "./helper.ts";
import { load } from "./load.ts";
import { oursEnv } from "./ours.ts";
import { freePort, type Memory, memory, startServer } from "./process.ts";
import { firstAnswer } from "./start.ts";

export interface MemoryRow {
  readonly when: string;
  readonly ours: Memory;
  readonly bare: Memory;
}

const SETTLE_MS = 3_000;

/** What the processes hold in each state, some seconds after it was reached. */
export async function measureMemory({ ours, bare }: Binaries, folder: string, requests: number): Promise<MemoryRow[]> {
  const [engine, sts] = await Promise.all([startHelper("engine.ts", "5"), startHelper("sts.ts")]);
  const offlinePort = freePort();
  const barePort = freePort();
  const offline = startServer([ours, "--offline"], offlinePort, oursEnv(offlinePort, folder, engine.address));
  const bareServer = startServer([bare, String(barePort)], barePort, {});
  const port = freePort();
  const online = startServer([ours], port, oursEnv(port, folder, engine.address, sts.address));
  const rows: MemoryRow[] = [];
  const take = (when: string, pid: number) => rows.push({ when, ours: memory(pid), bare: memory(bareServer.pid) });
  const container = "/v3/containers/shop-service0-1";
  try {
    await firstAnswer(barePort, "/");
    await firstAnswer(offlinePort, "/creds");
    await Bun.sleep(SETTLE_MS);
    take("idle, --offline", offline.pid);
    await offline.stop();
    await firstAnswer(port, "/creds");
    await firstAnswer(port, container);
    await Bun.sleep(SETTLE_MS);
    take("after credentials", online.pid);
    for (const path of ["/creds", container]) await ask(port, path, requests / 20);
    for (const path of ["/", "/"]) await ask(barePort, path, requests / 20);
    await Bun.sleep(SETTLE_MS);
    take(`after ${(requests / 10).toLocaleString("en")} requests`, online.pid);
    for (const path of ["/creds", container]) await ask(port, path, (requests * 9) / 20);
    for (const path of ["/", "/"]) await ask(barePort, path, (requests * 9) / 20);
    await Bun.sleep(SETTLE_MS);
    take(`after ${requests.toLocaleString("en")} requests`, online.pid);
    return rows;
  } finally {
    await Promise.all([offline.stop(), online.stop(), bareServer.stop(), engine.stop(), sts.stop()]);
  }
}

async function ask(port: number, path: string, requestsMax: number): Promise<void> {
  await load(port, { path, connections: 8, durationMs: 600_000, requestsMax });
}
