import type { Container } from "../engine/container.ts";
import type { StatsStreams } from "../engine/stats-stream.ts";
import { AppError } from "../errors.ts";
import type { DocumentVersion } from "./container-document.ts";

/** V2 and V3 wait this long for a sample that has an earlier reading beside it. */
const SAMPLE_WAIT_MS = 1_200;

export interface Stats {
  /** A container's stats, as JSON text. Throws AppError `container-not-running`. */
  readonly container: (facts: Container, version: DocumentVersion) => string | Promise<string>;
  /** A task's stats by the ids of its containers; those that stopped have none. */
  readonly task: (
    running: readonly Container[],
    stopped: readonly Container[],
    version: DocumentVersion,
  ) => string | Promise<string>;
}

/** Makes the stats documents of the engine's samples. V4 never waits for one, as the agent. */
export function createStats(streams: StatsStreams): Stats {
  function sample(id: string, version: DocumentVersion): string | Promise<string> {
    const none = version === "v4" ? "{}" : "null";
    return streams.latest(id) ?? streams.wait(id, version === "v4" ? 0 : SAMPLE_WAIT_MS).then((found) => found ?? none);
  }

  return {
    container(facts, version) {
      if (facts.running) return sample(facts.id, version);
      throw new AppError("container-not-running", `Unable to get container stats for: ${facts.id}`, {
        hint: "the container is not running",
      });
    },
    async task(running, stopped, version) {
      const samples = running.map(async ({ id }) => `"${id}":${await sample(id, version)}`);
      const none = version === "v4" ? "{}" : "null";
      return `{${[...(await Promise.all(samples)), ...stopped.map(({ id }) => `"${id}":${none}`)].join(",")}}`;
    },
  };
}
