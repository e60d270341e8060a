import { afterAll, beforeAll, describe } from "bun:test";
import { agentApiContract } from "./contract/agent-api.ts";
import { callersContract } from "./contract/callers.ts";
import { connectionsContract } from "./contract/connections.ts";
import { credentialsContract } from "./contract/credentials.ts";
import { guardContract } from "./contract/guard.ts";
import { introspectionContract } from "./contract/introspection.ts";
import { MACHINE } from "./contract/machine.ts";
import { metadataContract } from "./contract/metadata.ts";
import { protectionContract } from "./contract/protection.ts";
import { refusalsContract } from "./contract/refusals.ts";
import type { Subject } from "./contract/subject.ts";
import { startFakeEngine } from "./support/fake-engine.ts";
import { ask, connect } from "./support/raw-http.ts";

/** Something that listens on 127.0.0.1, or on all addresses. */
export interface Target {
  readonly port: number;
  readonly stop: () => Promise<unknown>;
}

/**
 * What any implementation must do, as a client in a container or on the host sees it: real sockets, real addresses.
 *
 * @param start runs one that watches the engine at `dockerHost` and can vend credentials
 */
export function contract(name: string, start: (dockerHost: string) => Promise<Target>): void {
  describe(name, () => {
    let engine: ReturnType<typeof startFakeEngine>;
    let target: Target | undefined;
    const port = () => target?.port ?? 0;
    const subject: Subject = {
      ask: (from, path, options) => ask(port(), from, { path, ...options }),
      connect: (from) => connect(port(), from),
      engine: () => engine,
    };

    beforeAll(async () => {
      engine = startFakeEngine({ ...MACHINE, statsIntervalMs: 100 });
      target = await start(engine.host);
    });
    afterAll(async () => {
      await target?.stop();
      await engine.stop();
    });

    metadataContract(subject);
    callersContract(subject);
    credentialsContract(subject);
    protectionContract(subject);
    agentApiContract(subject);
    introspectionContract(subject);
    refusalsContract(subject);
    guardContract(subject);
    connectionsContract(subject);
  });
}
