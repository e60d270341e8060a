import { afterEach, describe } from "bun:test";

import { parseConfig } from "../../src/config/config.ts";
import { createEngine, unreachable } from "../../src/engine/client.ts";
import { discover } from "../../src/engine/discover.ts";
import { eventually, startApp } from "../support/app.ts";
import { expectRow } from "../support/errors-requests.ts";
import { testRows } from "../support/errors-table.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { folder } from "../support/folder.ts";
import { machine } from "../support/guarded-machine.ts";

type App = ReturnType<typeof startApp>;
type Case = () => Promise<App>;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** An address of the bridge that no container has yet. */
const NEWCOMER = "172.31.7.77";

function start(host: string, { env, ...options }: Parameters<typeof startApp>[1] = {}): App {
  const { write, remove } = folder("errors-engine");
  const shop = { family: "shop", containerDefinitions: [{ name: "web" }] };
  const taskRole = { ECS_LOCAL_TASK_DEFINITION: write("shop.json", shop), ECS_LOCAL_USE_TASK_ROLE: "1" };
  const listed = { ECS_LOCAL_ALLOWED_NETWORKS: "0.0.0.0/0" };
  const app = startApp(host, { guarded: {}, env: { ...taskRole, ...listed, ...env }, ...options });
  ends.push(remove, app.stop);
  return app;
}
function fake(options: Parameters<typeof startFakeEngine>[0] = machine()) {
  const engine = startFakeEngine(options);
  ends.push(() => engine.stop());
  return engine;
}
/** An engine whose contact has failed by the time that it is asked. */
const failed = async (app: App): Promise<App> => {
  await eventually(() => app.inventory.contact() === "unavailable", 5_000);
  return app;
};
/** An engine that answers so, and else as the fake does. */
function engineThat(answer: (path: string) => Response | Promise<Response> | undefined): string {
  const { socketPath } = fake();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      const own = answer(pathname.replace(/^\/v[\d.]+\//, "/"));
      return own ?? fetch(`http://engine${pathname}${search}`, { unix: socketPath, signal: request.signal });
    },
  });
  ends.push(() => server.stop(true));
  return `tcp://127.0.0.1:${server.port}`;
}
const answering = (path: string, answer: () => Response | Promise<Response>): Case => {
  return () => failed(start(engineThat((asked) => (asked === path ? answer() : undefined))));
};
const endless = () => new Response(new ReadableStream({ pull: (c) => c.enqueue(Buffer.alloc(1_048_576, " ")) }));
/** Only once: else each new contact is well at first. */
const eventWithoutEnd = () => {
  let asked = 0;
  return answering("/events", () => (asked++ === 0 ? endless() : new Promise(() => {})))();
};
/** An engine that is lively, and of which then all that begins so is held. */
const holding = (prefix: string): Case => {
  return async () => {
    const engine = fake();
    const app = start(engine.host);
    await app.inventory.ready();
    engine.faults.hold = (path) => path.startsWith(prefix);
    return app;
  };
};
const connecting = (work: () => Promise<never>): Case => {
  return () => failed(start("unix:///nonexistent.sock", { connect: work }));
};

const silent = () => {
  const engine = fake();
  engine.faults.hold = true;
  return start(engine.host);
};
const hangingUp = () => {
  const server = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: { open: (socket) => void socket.end(), data() {} },
  });
  ends.push(() => server.stop(true));
  return failed(start(`tcp://127.0.0.1:${server.port}`));
};
const endingEvents = async () => {
  const engine = fake();
  const app = start(engine.host);
  await app.inventory.ready();
  engine.faults.hold = true;
  engine.faults.dropEvents();
  return failed(app);
};
/** An unexpected error is not an AppError. */
const unusable = async () => {
  const engine = fake();
  const odd = async () => {
    const made = await createEngine(
      { target: engine.host, base: "http://docker", init: { unix: engine.socketPath } },
      undefined,
    );
    const isInspect = (path: string) => /^\/containers\/\w{64}\/json/.test(path);
    return { ...made, get: async (path: string) => (isInspect(path) ? Object(1n).missing.field : made.get(path)) };
  };
  const app = start(engine.host, { connect: odd });
  await app.inventory.ready();
  return app;
};
const CASES: Readonly<Record<string, Case | { readonly path: string; readonly provoke: Case }>> = {
  "no socket of an engine is where they usually are": connecting(async () => {
    discover(parseConfig({}).docker, {}, () => false);
    throw new Error("one was found");
  }),
  "the socket does not exist": () => failed(start("unix:///nonexistent.sock")),
  // Root, as whom tests run in containers, may use every socket.
  "this user may not use the socket": connecting(async () => {
    throw unreachable("unix:///var/run/docker.sock", { code: "EACCES" });
  }),
  "nothing listens at the socket or address": () => failed(start("tcp://127.0.0.1:1")),
  "it accepts and stays silent for 2 s": () => failed(silent()),
  "it hung up in the middle": hangingUp,
  "it restarts, or has closed the stream in which it tells what happens": endingEvents,
  "the contact failed unexpectedly": connecting(async () => {
    throw new TypeError("a fault of our own");
  }),
  "the server has only just started": async () => silent(),
  "the engine is busy: it did not answer within 0.9 s": {
    path: "/v3/containers/unlisted",
    provoke: holding("/_ping"),
  },
  "the engine is busy: it did not tell the containers' addresses within 0.9 s": holding("/containers/"),
  "the engine is too old, or newer than this program": () =>
    failed(start(fake({ apiVersion: "1.30", minApiVersion: "1.12" }).host)),
  "it refused: what answers is not an engine, or a proxy before its socket allows too little, or DOCKER_API_VERSION is wrong":
    answering("/version", () => new Response("no", { status: 403 })),
  "it refused the stream in which it tells what happens": answering(
    "/events",
    () => new Response("no", { status: 403 }),
  ),
  "what came is not JSON": answering("/networks", () => new Response("<html>")),
  "what came is not what Docker and Podman say": answering("/networks", () => Response.json({})),
  "what came could not be used, unexpectedly": unusable,
  "an answer without end": answering("/networks", endless),
  "an event without end": eventWithoutEnd,
  "the certificates for the engine are missing": () =>
    failed(start("tcp://127.0.0.1:1", { env: { DOCKER_CERT_PATH: "/nonexistent" } })),
};

describe("each row of docs/errors.md is what is answered:", () => {
  testRows(["The container engine"], CASES, async (row, found) => {
    const { path, provoke } = typeof found === "function" ? { path: undefined, provoke: found } : found;
    const app = await provoke();
    // Where each container is given its task's role, credentials need the engine too, and their error has the code.
    const paths = path === undefined ? ["/v3", "/creds"] : [path];
    for (const answer of await Promise.all(paths.map((each) => app.ask(each, NEWCOMER)))) expectRow(row, [answer]);
  });
});
