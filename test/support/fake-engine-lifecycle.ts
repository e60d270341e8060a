import type { ContainerDocument } from "./containers.ts";

export interface EngineEvent {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
}

type Networks = ContainerDocument["NetworkSettings"]["Networks"];

/** What a stopped container's endpoints have: nothing that another container could be given. */
const NO_ADDRESS = {
  IPAddress: "",
  GlobalIPv6Address: "",
  Gateway: "",
  IPv6Gateway: "",
  IPPrefixLen: 0,
  MacAddress: "",
};

/** What happens to containers, in the engine's documents and in its events, in Docker's order. */
export function createLifecycle(
  containers: Map<string, ContainerDocument>,
  emit: (event: EngineEvent) => void,
  endStats: (id: string) => void,
) {
  /** What an endpoint had before its container stopped. */
  const endpoints = new Map<string, Networks>();

  function emitContainer({ Id, Name, Config }: ContainerDocument, Action: string, extra = {}): void {
    const Attributes = { image: Config.Image, name: Name.slice(1), ...Config.Labels, ...extra };
    emit({ Type: "container", Action, Actor: { ID: Id, Attributes } });
  }

  function emitNetworks({ Id, NetworkSettings }: ContainerDocument, Action: string): void {
    for (const [name, { NetworkID }] of Object.entries(NetworkSettings.Networks)) {
      emit({ Type: "network", Action, Actor: { ID: NetworkID, Attributes: { container: Id, name, type: "bridge" } } });
    }
  }

  function find(id: string): ContainerDocument {
    const found = findContainer(containers, id);
    if (!found) throw new Error(`the fake engine has no container ${id}`);
    return found;
  }

  function patch(document: ContainerDocument, state: object, networks: Networks): ContainerDocument {
    const NetworkSettings = { ...document.NetworkSettings, Networks: networks };
    const next = { ...document, State: { ...document.State, ...state }, NetworkSettings };
    containers.set(document.Id, next);
    return next;
  }

  function stop(id: string, exitCode: number): void {
    const document = find(id);
    const { Networks } = document.NetworkSettings;
    endpoints.set(document.Id, Networks);
    const empty = Object.entries(Networks).map(([name, endpoint]) => [name, { ...endpoint, ...NO_ADDRESS }] as const);
    const state = { Status: "exited", Running: false, Pid: 0, ExitCode: exitCode, FinishedAt: now() };
    const stopped = patch(document, state, Object.fromEntries(empty));
    endStats(document.Id);
    emitContainer(stopped, "die", { exitCode: String(exitCode) });
    emitNetworks(stopped, "disconnect");
    emitContainer(stopped, "stop");
  }

  return {
    add(document: ContainerDocument): void {
      containers.set(document.Id, document);
      emitContainer(document, "create");
      if (!document.State.Running) return;
      emitNetworks(document, "connect");
      emitContainer(document, "start");
    },
    start(id: string): void {
      const document = find(id);
      const state = { Status: "running", Running: true, Pid: 4242, ExitCode: 0, StartedAt: now() };
      const started = patch(document, state, endpoints.get(document.Id) ?? document.NetworkSettings.Networks);
      emitNetworks(started, "connect");
      emitContainer(started, "start");
    },
    stop,
    remove(id: string): void {
      const document = find(id);
      if (document.State.Running) stop(document.Id, 137);
      containers.delete(document.Id);
      emitContainer(document, "destroy");
    },
  };
}

/** The container of that id or name. */
export function findContainer(
  containers: ReadonlyMap<string, ContainerDocument>,
  id: string,
): ContainerDocument | undefined {
  return containers.get(id) ?? [...containers.values()].find(({ Name }) => Name === `/${id}`);
}

const now = () => new Date().toISOString().replace("Z", "123456Z");
