import { shellWords } from "../../text.ts";
import type { Service } from "./project.ts";
import { NETWORK } from "./server-service.ts";

/** Whether a service can join the server's network, shares another one's, or has none. */
export interface NetworkMode {
  readonly kind: "joins" | "shares" | "none";
  readonly remark: string;
  /** Whether the user should do something about it. */
  readonly isWarning?: boolean;
}

/** The network mode of each service. */
export function networkModesOf(services: readonly Service[]): (readonly [Service, NetworkMode])[] {
  const byMode = new Map(
    services.flatMap((service) => [
      [`service:${service.name}`, service] as const,
      ...(service.containerName === undefined ? [] : [[`container:${service.containerName}`, service] as const]),
    ]),
  );
  return services.map((service) => [service, modeOf(service, ownerOf(service, byMode))]);
}

/** The service whose network this one has in the end. Compose refuses a ring; here it ends at its start. */
function ownerOf(service: Service, byMode: ReadonlyMap<string, Service>): Service {
  const seen = new Set<Service>();
  let owner = service;
  for (let next: Service | undefined = service; next && !seen.has(next); next = byMode.get(owner.networkMode ?? "")) {
    seen.add(next);
    owner = next;
  }
  return owner;
}

function modeOf(service: Service, owner: Service): NetworkMode {
  const own = ownMode(owner.networkMode);
  if (owner === service) return own;
  const text = `has the network of ${service.networkMode?.replace(":", " ")}`;
  if (own.kind === "none") return { ...own, remark: `${text}, which ${own.remark}` };
  return { kind: "shares", remark: `${text}: its metadata paths need its own container's name` };
}

function ownMode(mode: string | undefined): NetworkMode {
  if (mode === undefined) return { kind: "joins", remark: "" };
  if (mode === "none") return { kind: "none", remark: "has no network and gets nothing", isWarning: true };
  if (mode === "host") {
    return { kind: "shares", remark: "has the host's network: its metadata paths need its container's name" };
  }
  const [, container] = /^container:(.+)$/.exec(mode) ?? [];
  if (container !== undefined) {
    const command = shellWords(["docker", "network", "connect", NETWORK, container]);
    return { kind: "shares", remark: `has the network of container ${container}: run ${command}`, isWarning: true };
  }
  const remark = `has network_mode '${mode}', which excludes networks, and gets nothing: use networks instead`;
  return { kind: "none", remark, isWarning: true };
}
