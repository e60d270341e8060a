import { ask } from "./ask.ts";
import type { startBinary } from "./binary.ts";
import type { Document, RealEngine } from "./real-engine.ts";

type Server = Awaited<ReturnType<typeof startBinary>>;

const PROJECT = "eq-shop";
const NETWORK = "eq-net";
const IMAGE = "docker.io/library/eq-image:1";
/** Its start fails. */
const BROKEN = "eq-broken";
const SECOND_NS = 1_000_000_000;

/** What one engine's documents say, by the name of the document and the path in it. */
export type Facts = ReadonlyMap<string, unknown>;

const member = (service: string, document: Document = {}): Document => ({
  ...document,
  Labels: { "com.docker.compose.project": PROJECT, "com.docker.compose.service": service, ...document.Labels },
  HostConfig: { NetworkMode: NETWORK, ...(document.HostConfig as object) },
});

const check = (script: string): Document => ({
  Healthcheck: { Test: ["CMD-SHELL", script], Interval: SECOND_NS, Timeout: 5 * SECOND_NS, Retries: 2 },
});

/** One container for each thing that a document can say, the same for every engine. */
const SET: Readonly<Record<string, Document>> = {
  "eq-web": member("web", {
    ...check("echo fine"),
    Labels: { "shop.tier": "front", "shop.empty": "" },
    HostConfig: {
      Memory: 64 * 1_048_576,
      NanoCpus: 500_000_000,
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
    },
  }),
  "eq-db": member("db", {
    ...check("echo bad; exit 3"),
    HostConfig: {
      CpuShares: 512,
      Binds: ["eq-data:/data", "/tmp:/bind:ro"],
      Tmpfs: { "/scratch": "" },
      Mounts: [{ Type: "tmpfs", Target: "/memory" }],
      Dns: ["10.205.0.53"],
      DnsSearch: ["eq.test"],
    },
  }),
  "eq-queue": member("queue", {
    Healthcheck: { Test: ["CMD", "true"], Interval: 3_600 * SECOND_NS },
    HostConfig: { RestartPolicy: { Name: "unless-stopped" } },
  }),
  "eq-flaky": member("flaky", {
    Cmd: ["sh", "-c", "sleep 0.3; exit 1"],
    HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } },
  }),
  "eq-done": member("done", { Cmd: ["sh", "-c", "sleep 0.3"], HostConfig: { RestartPolicy: { Name: "on-failure" } } }),
  "eq-failed": member("failed", { Cmd: ["sh", "-c", "sleep 0.3; exit 3"] }),
  [BROKEN]: member("broken", { Cmd: ["/no/such/program"] }),
  "eq-never": member("never", { HostConfig: { RestartPolicy: { Name: "always" } } }),
  "eq-unchecked": member("unchecked", { Healthcheck: { Test: ["NONE"] }, HostConfig: { LogConfig: { Type: "none" } } }),
  "eq-oneoff": member("web", { Labels: { "com.docker.compose.oneoff": "True" } }),
  "eq-plain": {},
  "eq-quota": { HostConfig: { CpuQuota: 50_000, CpuPeriod: 100_000 } },
  "eq-labelled": { Image: IMAGE },
};

/**
 * Makes the set on an engine and reads every document of it.
 *
 * @param base the first three numbers of a free subnet
 */
export async function factsOf(engine: RealEngine, server: Server, base: string): Promise<Facts> {
  const gateway = `${base}.1`;
  await engine.define({ Name: NETWORK, IPAM: { Config: [{ Subnet: `${base}.0/24`, Gateway: gateway }] } });
  const ids = new Map<string, string>();
  try {
    await makeImage(engine);
    for (const [name, document] of Object.entries(SET)) ids.set(name, await engine.create(name, document));
    for (const [name, id] of ids) {
      if (name === BROKEN) await startInVain(engine, id);
      else if (name !== "eq-never") await engine.start(id);
    }
    await settle(engine, server);
    const documents = new Map<string, unknown>();
    const read = async (name: string, path: string) => documents.set(name, await (await server.get(path)).json());
    for (const name of ids.keys()) {
      await read(`v2 ${name}`, `/v2/metadata/${name}`);
      await read(`v3 ${name}`, `/v3/containers/${name}`);
      await read(`v4 ${name}`, `/v4/containers/${name}`);
    }
    // V2 finds a task by the caller's address alone.
    documents.set("v2 task", (await ask(engine, ids.get("eq-web") ?? "", gateway, server.port, "/v2/metadata")).body);
    await read("v3 task", "/v3/containers/eq-web/task");
    await read("v4 task", "/v4/containers/eq-web/task");
    return new Map([...documents].flatMap(([name, document]) => flatten(name, document, ids)));
  } finally {
    await engine.cleanUp();
    const left = ["/volumes/eq-data", `/images/${IMAGE}?force=true`];
    await Promise.allSettled(left.map((path) => engine.call("DELETE", path)));
  }
}

/** @throws Error where it starts, or fails for another reason than that it lacks its program */
async function startInVain(engine: RealEngine, id: string): Promise<void> {
  const failure = await engine.start(id).then(
    () => "it started",
    (error: Error) => error.message,
  );
  if (!failure.includes("no such file or directory")) throw new Error(`${BROKEN} on ${engine.name}: ${failure}`);
}

/** An image with a label of its own. */
async function makeImage(engine: RealEngine): Promise<void> {
  const [repository, tag] = IMAGE.split(":");
  const base = await engine.create("eq-base", {});
  const label = encodeURIComponent("LABEL shop.image=yes");
  await engine.call("POST", `/commit?container=${base}&repo=${repository}&tag=${tag}&changes=${label}`, {});
  await engine.remove(base);
}

/** What not all of them say alike, each as `field: value, value`, in the order of the engines. */
export function differences(all: readonly Facts[]): string[] {
  const paths = new Set(all.flatMap((facts) => [...facts.keys()]));
  const found = new Set<string>();
  for (const path of paths) {
    const values = all.map((facts) => (facts.has(path) ? JSON.stringify(facts.get(path)) : "absent"));
    const field = path.replace(/^v\d (task Containers \d+|\S+) /, "").replace(/ \d+/g, "[]");
    if (new Set(values).size > 1) found.add(`${field.replaceAll(" ", ".")}: ${values.join(", ")}`);
  }
  return [...found].sort();
}

interface Member {
  readonly DockerName: string;
  readonly KnownStatus: string;
  readonly RestartCount?: number;
  readonly Health?: { readonly status?: string };
}

/** Waits until the health checks and the restarts have come to what they come to. */
async function settle(engine: RealEngine, server: Server): Promise<void> {
  for (let turn = 0; turn < 60; turn += 1) {
    if (engine.name === "podman") await checkHealth(engine);
    const task = await (await server.get("/v4/containers/eq-web/task")).json();
    const members = new Map((task as { Containers: Member[] }).Containers.map((each) => [each.DockerName, each]));
    const stopped = ["eq-done", "eq-failed", "eq-flaky"].every((name) => members.get(name)?.KnownStatus === "STOPPED");
    const [web, db] = ["eq-web", "eq-db"].map((name) => members.get(name)?.Health?.status);
    const restarted = members.get("eq-flaky")?.RestartCount === 2;
    // It is started last, a moment ago: its event may be on the way.
    const last = (await (await server.get("/v4/containers/eq-labelled")).json()) as Member;
    const started = last.KnownStatus === "RUNNING";
    if (started && stopped && restarted && web === "HEALTHY" && db === "UNHEALTHY") return;
    await Bun.sleep(500);
  }
  throw new Error(`the containers on ${engine.name} did not come to rest`);
}

/** Podman leaves its health checks to timers of systemd, which need not be there: its own question runs one. */
async function checkHealth(engine: RealEngine): Promise<void> {
  for (const name of ["eq-web", "eq-db"]) await engine.call("GET", `/v4.0.0/libpod/containers/${name}/healthcheck`);
}

/** Every value of a document by its path, with what must differ between engines in one spelling. */
function flatten(path: string, value: unknown, ids: ReadonlyMap<string, string>): [string, unknown][] {
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).flatMap(([key, inner]) => flatten(`${path} ${key}`, inner, ids));
    return entries.length > 0 ? entries : [[path, Array.isArray(value) ? "[]" : "{}"]];
  }
  return [[path, typeof value === "string" ? normalise(value, ids) : value]];
}

function normalise(text: string, ids: ReadonlyMap<string, string>): string {
  for (const [name, id] of ids) if (text.includes(id)) return text.replace(id, `<id of ${name}>`);
  return text
    .replace(/^sha256:[0-9a-f]{64}$/, "<image id>")
    .replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/, "<time>")
    .replace(/^(10|172|192)(\.\d+){3}$/, "<address>")
    .replace(/^\/.*\/volumes\//, "<volumes>/")
    .replace(/container\/([^/]+)\/([^/]+)\/[0-9a-f-]{36}$/, "container/$1/$2/<uuid>");
}
