import { expect } from "bun:test";
import type { startBinary } from "./binary.ts";

type Server = Awaited<ReturnType<typeof startBinary>>;

export interface Timed {
  readonly status: number;
  readonly dockerId: unknown;
  readonly text: string;
  readonly ms: number;
}

/** Asks for a container by its id from the host. */
export async function askFor(server: Server, id: string): Promise<Timed> {
  const begun = performance.now();
  const response = await server.get(`/v3/containers/${id}`);
  const text = await response.text();
  const dockerId = response.ok ? (JSON.parse(text) as { DockerId: unknown }).DockerId : undefined;
  return { status: response.status, dockerId, text, ms: performance.now() - begun };
}

/** The container's own body, or 503 with the reason; either within a second. */
export function expectTruthOr503(answer: Timed, id: string): void {
  expect(answer.ms, answer.text).toBeLessThan(1_000);
  if (answer.status === 200) expect(answer.dockerId).toBe(id);
  else expect(answer).toMatchObject({ status: 503, text: expect.stringMatching(/engine/i) });
}

/** For as long as the engine is away, and until it answers. */
export async function askDuring(server: Server, ids: readonly string[], ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    await Promise.all(ids.map(async (id) => expectTruthOr503(await askFor(server, id), id)));
    await Bun.sleep(100);
  }
}

/**
 * Asks until every container that lives is answered and none that is gone.
 *
 * @returns when that was so, in ms since 1970
 */
export async function untilRight(
  server: Server,
  state: { readonly living: readonly string[]; readonly gone: readonly string[] },
): Promise<number> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const living = await Promise.all(state.living.map((id) => askFor(server, id)));
    const gone = await Promise.all(state.gone.map((id) => askFor(server, id)));
    const isRight =
      living.every(({ status, dockerId }, index) => status === 200 && dockerId === state.living[index]) &&
      gone.every(({ status }) => status !== 200 && status !== 503);
    if (isRight) return Date.now();
    if (Date.now() > deadline) throw new Error(`not right: ${JSON.stringify({ living, gone })}\n${server.log()}`);
    await Bun.sleep(20);
  }
}
