import { Type } from "@sinclair/typebox";
import { AppError } from "../errors.ts";
import { readBounded, unreachable } from "./client.ts";
import type { EngineEndpoint } from "./discover.ts";
import { decodeText } from "./schema.ts";

/** Containers that are ours for a moment carry it, so that one that a crash left can be told. */
export const ASKER_LABEL = "com.ecs-local-endpoints.doctor";

/** An engine that is busy takes seconds to start a container. */
const STEP_MS = 10_000;
/** Whoever ended it waits no longer than that for a container to be removed. */
const ENDED_MS = 2_000;
const AGAIN_MS = 100;
/** Longer than a run lasts, so that what another doctor has made and not yet started stays. */
const LEFT_AFTER_S = 60;
const OUTPUT_CHARACTERS_MAX = 4_096;
/** Podman's own are more than it may set in a sandbox, and what asks needs few. */
const ULIMITS = ["nofile", "nproc"].map((Name) => ({ Name, Soft: 1024, Hard: 1024 }));
/** More than the program needs, and a bound to what a wrong image can take. */
const MEMORY_BYTES = 256 * 1024 * 1024;

const CreatedSchema = Type.Object({ Id: Type.String() });
const strings = Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()]));
const ImageSchema = Type.Object({
  Config: Type.Optional(Type.Union([Type.Object({ Entrypoint: strings }), Type.Null()])),
});
const LeftSchema = Type.Array(Type.Object({ Id: Type.String(), Created: Type.Number() }));

/** Starts containers that end by themselves, on one engine. */
export interface Runner {
  /** The entry point of an image that the engine has; undefined where it has none of that name. */
  readonly entrypointOf: (image: string) => Promise<readonly string[] | undefined>;
  /**
   * Runs a container to its end, or for `runMs`, and removes it whatever happens.
   *
   * @returns what it wrote, at most 4096 characters
   */
  readonly run: (what: {
    readonly image: string;
    readonly entrypoint?: readonly string[];
    readonly command: readonly string[];
    readonly network: string;
    readonly runMs: number;
  }) => Promise<string>;
  /** Removes what a run that was killed has left, a minute after it was made. */
  readonly removeLeft: () => Promise<void>;
}

/**
 * @param apiVersion what was agreed on with the engine
 * @param ended what runs is removed when it aborts, within 2 s or not at all, and nothing is started any more
 * @returns a runner whose functions throw AppError `engine-unavailable` or `engine-refused`
 */
export function createRunner(endpoint: EngineEndpoint, apiVersion: string, ended?: AbortSignal): Runner {
  const { target } = endpoint;
  const tooLate = new AbortController();
  ended?.addEventListener("abort", () => setTimeout(() => tooLate.abort(), ENDED_MS).unref(), { once: true });

  async function call(method: string, path: string, signal: AbortSignal, body?: object): Promise<Response> {
    const init = {
      method,
      signal,
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      ...endpoint.init,
    } as BunFetchRequestInit;
    try {
      return await fetch(`${endpoint.base}/v${apiVersion}${path}`, init);
    } catch (cause) {
      throw unreachable(target, cause);
    }
  }

  const within = (ms: number, end = ended) => {
    const late = AbortSignal.timeout(ms);
    return end ? AbortSignal.any([late, end]) : late;
  };
  const step = () => within(STEP_MS);

  async function read(method: string, path: string, signal: AbortSignal, body?: object): Promise<string> {
    const response = await call(method, path, signal, body);
    const answer = await readBounded(response, target);
    if (response.ok) return answer;
    const text = `The engine at ${target} answered ${response.status} for ${path.split("?")[0]}`;
    throw new AppError("engine-refused", `${text}: ${answer.slice(0, 300).trim()}`);
  }

  /** @param isKnown whether the engine has said that it is there, or that it is not; else it may come for a while yet */
  async function remove(id: string, isKnown: boolean): Promise<void> {
    const signal = within(STEP_MS, tooLate.signal);
    const until = performance.now() + ENDED_MS;
    const ask = async () => (await call("DELETE", `/containers/${id}?force=true&v=true`, signal)).status;
    while ((await ask()) === 404 && !isKnown && performance.now() < until) await Bun.sleep(AGAIN_MS);
  }

  return {
    async entrypointOf(image) {
      const response = await call("GET", `/images/${image}/json`, step());
      const answer = await readBounded(response, target);
      if (response.status === 404) return undefined;
      if (!response.ok)
        throw new AppError("engine-refused", `The engine at ${target} does not show the image ${image}`);
      return decodeText(ImageSchema, answer, `the image ${image}`).Config?.Entrypoint ?? [];
    },
    async run({ image, entrypoint, command, network, runMs }) {
      // Named before it is made: an answer that comes too late must not leave a container that nobody knows.
      const name = `ecs-local-doctor-${crypto.randomUUID().slice(0, 13)}`;
      ended?.throwIfAborted();
      let isKnown = false;
      try {
        const document = {
          Image: image,
          ...(entrypoint && { Entrypoint: entrypoint }),
          Cmd: command,
          Labels: { [ASKER_LABEL]: "asker" },
          // Nothing that the image says may run or be reached but what asks.
          Healthcheck: { Test: ["NONE"] },
          HostConfig: { NetworkMode: network, Memory: MEMORY_BYTES, Ulimits: ULIMITS },
        };
        const answer = await read("POST", `/containers/create?name=${name}`, step(), document).catch(
          (error: unknown) => {
            isKnown = error instanceof AppError && error.code === "engine-refused";
            throw error;
          },
        );
        isKnown = true;
        const made = decodeText(CreatedSchema, answer, "the container that asks");
        await read("POST", `/containers/${made.Id}/start`, step());
        // A container that does not end has been asked for what it wrote all the same.
        await read("POST", `/containers/${made.Id}/wait`, within(runMs)).catch(() => {});
        ended?.throwIfAborted();
        const logs = await call("GET", `/containers/${made.Id}/logs?stdout=1&stderr=1&tail=20`, step());
        return demultiplex(new Uint8Array(await logs.arrayBuffer())).slice(0, OUTPUT_CHARACTERS_MAX);
      } finally {
        await remove(name, isKnown).catch(() => {});
      }
    },
    async removeLeft() {
      const filters = encodeURIComponent(
        JSON.stringify({ label: [ASKER_LABEL], status: ["created", "exited", "dead"] }),
      );
      const answer = await read("GET", `/containers/json?all=1&filters=${filters}`, step());
      const before = Date.now() / 1_000 - LEFT_AFTER_S;
      const left = decodeText(LeftSchema, answer, "the list of containers").filter(({ Created }) => Created < before);
      await Promise.all(left.map(({ Id }) => remove(Id, true).catch(() => {})));
    },
  };
}

/** The engine sends frames: the stream's number, three zeros, the length in four bytes, the text. */
function demultiplex(frames: Uint8Array): string {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength);
  const decoder = new TextDecoder();
  let text = "";
  for (let at = 0; at + 8 <= frames.length; ) {
    const end = at + 8 + view.getUint32(at + 4);
    text += decoder.decode(frames.subarray(at + 8, end), { stream: true });
    at = end;
  }
  return text;
}
