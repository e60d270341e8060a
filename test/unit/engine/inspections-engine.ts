import type { Engine } from "../../../src/engine/client.ts";
import { createContainerStore } from "../../../src/engine/container-store.ts";
import { createInspector } from "../../../src/engine/inspector.ts";
import { AppError } from "../../../src/errors.ts";
import type { Log } from "../../../src/log.ts";
import { container } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

const net = network({ name: "n", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });
/** The inspect document of a running container. */
export const at = (id: string, ipv4: string) => JSON.stringify(withNetwork(container({ name: id, id }), net, { ipv4 }));
export const GONE = new AppError("container-unknown", "No such container");
export const DOWN = new AppError("engine-unavailable", "down");

/** Inspector of an engine each of whose calls a test answers, in any order. */
export function setup() {
  const calls: { path: string; answer: (body: string) => void; fail: (error: unknown) => void }[] = [];
  const engine: Partial<Engine> = {
    get(path) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      calls.push({ path, answer: resolve, fail: reject });
      return promise;
    },
  };
  const lines: string[] = [];
  const write = (event: string) => void lines.push(event);
  const log: Log = { debug: write, info: write, warning: write, error: write, flush: () => {} };
  const store = createContainerStore();
  /** How many were pending, and how many of them starting, at each change. */
  const changes: { pending: number; starting: number }[] = [];
  const inspector = createInspector(engine as Engine, store, log, () => {
    changes.push({ pending: inspector.pending(), starting: inspector.starting() });
  });
  const call = (index: number) => {
    const found = calls[index];
    if (!found) throw new Error(`there is no call ${index}`);
    return found;
  };
  const ids = (address: string) => store.ownersOf(address).map(({ id }) => id);
  return { inspector, store, calls, call, ids, lines, changes };
}

export const settle = () => Bun.sleep(1);
