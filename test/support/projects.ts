import { expect } from "bun:test";
import { ask } from "./ask.ts";
import type { ContainerOptions, Network, RealEngine } from "./real-engine.ts";

export interface Project {
  readonly name: string;
  readonly ids: readonly string[];
}

interface Named {
  readonly DockerId: string;
}

/**
 * Starts a container for each service, labelled as Compose does.
 *
 * @param more what they are besides
 */
export async function startProject(
  engine: RealEngine,
  name: string,
  network: Network,
  services: readonly string[],
  more: Partial<ContainerOptions> = {},
): Promise<Project> {
  const ids = services.map((service) =>
    engine.run({
      ...more,
      name: `${name}-${service}-1`,
      network,
      labels: { "com.docker.compose.project": name, "com.docker.compose.service": service },
    }),
  );
  return { name, ids: await Promise.all(ids) };
}

/** Every route of V2 and V3, asked from inside each member, names exactly its own container and its own project's members. */
export async function expectOwnTask(engine: RealEngine, project: Project, host: string, port: number): Promise<void> {
  const members = [...project.ids].sort();
  for (const id of project.ids) {
    const get = async (path: string): Promise<unknown> => {
      const { status, body } = await ask(engine, id, host, port, path);
      expect({ path, status, body }).toMatchObject({ path, status: 200 });
      return body;
    };
    expect(((await get("/v3")) as Named).DockerId).toBe(id);
    for (const path of ["/v3/task", "/v2/metadata"]) {
      const { Containers } = (await get(path)) as { Containers: Named[] };
      expect(Containers.map(({ DockerId }) => DockerId).sort(), path).toEqual(members);
    }
    expect(((await get("/v3/stats")) as { id: string }).id).toBe(id);
    expect(Object.keys((await get("/v3/task/stats")) as object).sort()).toEqual(members);
  }
}
