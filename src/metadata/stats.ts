import type { Container } from "../engine/container.ts";
import type { StatsStreams } from "../engine/stats-stream.ts";
import { AppError } from "../errors.ts";
import type { DocumentVersion } from "./container-document.ts";

/** V2 and V3 wait this long for a sample that has an earlier reading beside it. */
const SAMPLE_WAIT_MS = 1_200;
/** The stats of a container without a sample. */
const NONE: Readonly<Record<DocumentVersion, string>> = { v3: "null", v4: "{}" };

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

/** Makes the stats documents of the engine's samples, at once where those are at hand. V4 never waits, as the agent. */
export function createStats(streams: StatsStreams): Stats {
  function statsOf(id: string, version: DocumentVersion): string | Promise<string> {
    const sample = streams.latest(id);
    if (version === "v4") return sample?.rated() ?? NONE.v4;
    if (sample?.complete) return sample.plain();
    return streams.wait(id, SAMPLE_WAIT_MS).then((found) => found?.plain() ?? NONE.v3);
  }

  return {
    container(facts, version) {
      if (facts.running) return statsOf(facts.id, version);
      throw new AppError("container-not-running", `Unable to get container stats for: ${facts.id}`, {
        hint: "the container is not running",
      });
    },
    task(running, stopped, version) {
      const ids = [...running, ...stopped].map(({ id }) => id);
      const all = [...running.map(({ id }) => statsOf(id, version)), ...stopped.map(() => NONE[version])];
      const body = (texts: readonly string[]) => `{${texts.map((text, at) => `"${ids[at]}":${text}`).join(",")}}`;
      return all.every((text) => typeof text === "string") ? body(all) : Promise.all(all).then(body);
    },
  };
}
