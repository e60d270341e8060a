import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { container } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { freePort } from "../support/free-port.ts";
import { network, withNetwork } from "../support/networks.ts";
import { ask, connect, requestText } from "../support/raw-http.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const ADDRESS = "127.0.7.2";
const net = network({ name: "shop", subnet: "127.0.7.0/24", gateway: "127.0.7.1" });
const named = (name: string) => withNetwork(container({ name }), net, { ipv4: ADDRESS });
const REQUEST = { path: "/v4" };

const ends: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(ends.map((end) => end())));

async function start() {
  const engine = startFakeEngine({ networks: [net], containers: [named("old-0")] });
  const port = freePort();
  const child = Bun.spawn([process.execPath, "--no-env-file", MAIN, "--offline", "--bind", "127.0.0.1"], {
    env: { HOME: "/nonexistent", DOCKER_HOST: engine.host, ECS_LOCAL_METADATA_PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  ends.push(async () => {
    child.kill("SIGKILL");
    await child.exited;
    await engine.stop();
  });
  for await (const chunk of child.stderr) if (new TextDecoder().decode(chunk).includes(" listening ")) break;
  return { engine, port, child };
}

// A laptop's lid, a debugger, or a busy machine: the engine's events wait in the socket while the program is stopped.
describe("a server that is suspended while an address goes from one container to another", () => {
  for (const [seconds, rounds] of [
    [0.3, 8],
    [1, 4],
    [3, 2],
  ] as const) {
    test.concurrent(`for ${seconds} s never takes the new container for the old one`, async () => {
      const { engine, port, child } = await start();
      for (let round = 0; round < rounds; round += 1) {
        const [old, next] = [`old-${round}`, `old-${round + 1}`];
        const { body } = await ask(port, ADDRESS, REQUEST);
        expect(JSON.parse(body).DockerName).toBe(old);
        const early = await connect(port, ADDRESS);
        child.kill("SIGSTOP");
        engine.remove(old);
        engine.add(named(next));
        early.send(requestText(REQUEST));
        await Bun.sleep(seconds * 1_000);
        child.kill("SIGCONT");
        const answers = await Promise.all([early.answer().finally(early.close), ask(port, ADDRESS, REQUEST)]);
        for (const answer of answers) expect(JSON.parse(answer.body).DockerName, answer.body).toBe(next);
      }
    }, 20_000);
  }
});
