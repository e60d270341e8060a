import type { Engine } from "./client.ts";
import { decodeText, type EngineEvent, EventSchema } from "./schema.ts";

/** Events are written a little out of order, and their times are cut to whole seconds in the question. */
const OVERLAP_S = 2;
/** Before the first event only our clock says since when: the engine's own may differ. */
const FIRST_OVERLAP_S = 60;
const REMEMBERED_MAX = 4_096;
/** Podman reads its whole log of events for a question: up to 1 MB, some 30 ms. */
const CATCH_UP_EVERY_MS = 100;

/** What of an engine's events changes the picture. */
export const EVENTS_FILTER = encodeURIComponent(JSON.stringify({ type: ["container", "network"] }));

export interface Events {
  /** Applies a line of the stream, unless it was applied before. Rejects as `apply` does. */
  readonly take: (line: string) => Promise<void>;
  /** Fetches and applies what a late stream has not brought yet, at most ten times a second; nothing where it is in time. */
  readonly catchUp: () => Promise<void>;
}

/** @param apply puts an event into the picture; it is called once for each, whichever way it comes first */
export function createEvents(engine: Engine, apply: (event: EngineEvent) => Promise<void>): Events {
  const applied = new Set<string>();
  let newestS: number | undefined;
  let asked: { readonly atMs: number; readonly promise: Promise<void> } | undefined;

  function take(line: string): Promise<void> {
    const event = decodeText(EventSchema, line, "an event");
    newestS = Math.max(newestS ?? 0, event.time ?? 0) || undefined;
    if (engine.hasLateEvents && event.timeNano) {
      const key = `${event.timeNano} ${event.Action} ${event.Actor.ID} ${event.Actor.Attributes?.name}`;
      if (applied.has(key)) return Promise.resolve();
      applied.add(key);
      if (applied.size > REMEMBERED_MAX) for (const oldest of applied.values().take(1)) applied.delete(oldest);
    }
    return apply(event);
  }

  async function fetchEvents(): Promise<void> {
    const since = newestS === undefined ? Math.floor(Date.now() / 1000) - FIRST_OVERLAP_S : newestS - OVERLAP_S;
    const lines = await engine.get(`/events?stream=false&since=${since}&filters=${EVENTS_FILTER}`);
    await Promise.all(lines.split("\n").filter(Boolean).map(take));
  }

  function catchUp(): Promise<void> {
    if (!engine.hasLateEvents) return Promise.resolve();
    if (asked === undefined || performance.now() - asked.atMs > CATCH_UP_EVERY_MS) {
      asked = { atMs: performance.now(), promise: fetchEvents() };
    }
    return asked.promise;
  }

  return { take, catchUp };
}
