import type { DockerConfig, Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import { discover, type EngineEndpoint, type Place, placeOf } from "./discover.ts";
import { decodeText, type EngineVersion, VersionSchema } from "./schema.ts";

/** The versions of the Engine API that we speak: what we read is the same in all of them. */
const OLDEST_VERSION = "1.40";
const NEWEST_VERSION = "1.56";
const REFUSED =
  "check whether it is an engine that answers there, and whether a proxy before its socket allows this path";

export interface Engine {
  /** For messages: `unix:///var/run/docker.sock`. */
  readonly target: string;
  /** The version that both sides know. */
  readonly apiVersion: string;
  /** Whether its events come late, so that answers must be confirmed: Podman reads them from a file, four times a second. */
  readonly needsCatchUp: boolean;
  /** Whether its networks are on this machine, judged by its address. */
  readonly place: Place;
  /** When the newest request began that it has answered, on the clock of `performance`: it was alive after that. */
  readonly answered: { readonly askedAtMs: number };
  /**
   * The body of a GET as text. `path` begins after the version, which is the agreed one unless another is given, as for
   * Podman's own API.
   */
  readonly get: (
    path: string,
    options?: { readonly signal?: AbortSignal; readonly version?: string },
  ) => Promise<string>;
  /** The lines of an answer that does not end, until `signal` aborts or the engine closes it. */
  readonly lines: (path: string, signal: AbortSignal) => Promise<AsyncIterable<string>>;
  /** Resolves when the engine answers `/_ping` in time. */
  readonly ping: (timeoutMs: number) => Promise<void>;
}

/**
 * Connects to an engine and agrees on an API version with it.
 *
 * @param apiVersion overrides the agreement, as DOCKER_API_VERSION does for the docker command
 * @throws AppError `engine-unavailable`, `engine-refused` or `engine-bad-answer`, which name the socket or address
 */
export async function createEngine(
  endpoint: EngineEndpoint,
  apiVersion: string | undefined,
  timeoutMs = 2_000,
): Promise<Engine> {
  const { target } = endpoint;
  const answered = { askedAtMs: Number.NEGATIVE_INFINITY };

  async function open(path: string, signal: AbortSignal): Promise<Response> {
    try {
      // `timeout: false`: Bun's own limit ends an idle stream after some minutes. Deadlines are signals.
      const init = { signal, timeout: false, ...endpoint.init } as BunFetchRequestInit;
      return await fetch(`${endpoint.base}${path}`, init);
    } catch (cause) {
      throw unreachable(target, cause);
    }
  }

  async function request(path: string, deadlineMs: number, signal?: AbortSignal): Promise<string> {
    const askedAtMs = performance.now();
    const deadline = AbortSignal.timeout(deadlineMs);
    const response = await open(path, signal ? AbortSignal.any([deadline, signal]) : deadline);
    const body = await readBounded(response, target);
    answered.askedAtMs = Math.max(answered.askedAtMs, askedAtMs);
    if (response.ok) return body;
    const refusal = `The engine at ${target} answered ${response.status} for ${path}: ${body.slice(0, 300).trim()}`;
    // Podman answers 500 for a container that ends while it is being asked for.
    const gone = /\/containers\/[^/]+\//.test(path) && (response.status === 404 || body.includes("no such container"));
    if (gone) throw new AppError("container-unknown", refusal);
    throw new AppError("engine-refused", refusal, { hint: REFUSED });
  }

  const answer = decodeText(VersionSchema, await request("/version", timeoutMs), "its version");
  const version = apiVersion ?? agree(answer, target);
  return {
    target,
    apiVersion: version,
    needsCatchUp: (answer.Components ?? []).some(({ Name }) => Name === "Podman Engine"),
    place: await placeOf(endpoint),
    answered,
    get: (path, options) => request(`/v${options?.version ?? version}${path}`, timeoutMs, options?.signal),
    async lines(path, signal) {
      const response = await open(`/v${version}${path}`, signal);
      if (response.ok && response.body) return splitLines(response.body, target);
      const refusal = `The engine at ${target} answered ${response.status} for ${path.split("?")[0]}`;
      throw new AppError("engine-refused", refusal, { hint: REFUSED });
    },
    async ping(deadlineMs) {
      await request("/_ping", deadlineMs);
    },
  };
}

/** The newest version that both support. */
function agree({ ApiVersion: newest, MinAPIVersion: oldest }: EngineVersion, target: string): string {
  const chosen = compareVersions(newest, NEWEST_VERSION) < 0 ? newest : NEWEST_VERSION;
  // Podman's MinAPIVersion is of its own API (4.0.0), not Docker's: it says nothing about what it accepts here.
  const floor = oldest && /^1\.\d+$/.test(oldest) ? oldest : OLDEST_VERSION;
  if (compareVersions(chosen, OLDEST_VERSION) >= 0 && compareVersions(chosen, floor) >= 0) return chosen;
  throw new AppError(
    "engine-unavailable",
    `The engine at ${target} speaks API ${oldest ?? "?"} to ${newest}, and this program ${OLDEST_VERSION} to ${NEWEST_VERSION}`,
    { hint: "use an engine of one of those versions, or set DOCKER_API_VERSION to try another" },
  );
}

function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split(".").map(Number);
  const [bMajor = 0, bMinor = 0] = b.split(".").map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}

const BODY_BYTES_MAX = 32 * 1024 * 1024;
const IS_ENGINE = "check whether it is an engine that answers there";

/** The body as text. One of more than 32 MiB is `engine-bad-answer`. */
export async function readBounded(response: Response, target: string): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let body = "";
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > BODY_BYTES_MAX) {
        throw new AppError("engine-bad-answer", `The engine at ${target} sent an answer of more than 32 MiB`, {
          hint: IS_ENGINE,
        });
      }
      body += decoder.decode(chunk, { stream: true });
    }
  } catch (cause) {
    throw cause instanceof AppError ? cause : unreachable(target, cause);
  }
  return body + decoder.decode();
}

/** A line that has no end yet is kept back, and dropped when the stream ends in the middle of it. */
export async function* splitLines(body: ReadableStream<Uint8Array>, target: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      const [head = "", ...lines] = decoder.decode(chunk, { stream: true }).split("\n");
      begun.push(head);
      length += head.length;
      if (length > BODY_BYTES_MAX) {
        throw new AppError("engine-bad-answer", `The engine at ${target} sent a line of more than 32 MiB`, {
          hint: IS_ENGINE,
        });
      }
      if (lines.length === 0) continue;
      const rest = lines.pop() ?? "";
      for (const line of [begun.join(""), ...lines]) if (line.trim() !== "") yield line.trim();
      begun = [rest];
      length = rest.length;
    }
  } catch (cause) {
    throw cause instanceof AppError ? cause : unreachable(target, cause);
  }
}

/**
 * Finds the engine and agrees on a version with it.
 *
 * @throws AppError `engine-unavailable`, `engine-refused` or `engine-bad-answer`, which name the socket or address, or all
 *   that was tried; `bad-configuration` for an address of another kind
 */
export async function connect(docker: DockerConfig, env: Environment): Promise<Engine> {
  return createEngine(discover(docker, env), docker.apiVersion);
}

/** Bun's own sentence for a missing socket asks about a typo in the port: what is wrong is in the code. */
export function unreachable(target: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const code = (cause as { code?: unknown }).code;
  const name = cause instanceof Error ? cause.name : "";
  const [reason, hint] =
    name === "TimeoutError"
      ? ["does not answer", "check whether the engine is healthy"]
      : code === "ENOENT"
        ? ["is not there", "start the engine, or mount its socket, or set DOCKER_HOST"]
        : code === "EACCES"
          ? ["may not be opened by this user", "add the user to the socket's group (--group-add in a container)"]
          : code === "ECONNREFUSED" || code === "FailedToOpenSocket"
            ? ["accepts no connection", "start the engine"]
            : ["broke off the connection", "check whether the engine is healthy"];
  return new AppError("engine-unavailable", `The engine at ${target} ${reason}`, { hint, cause });
}

/** A failed inspect, as the error for a request that needs its container. */
export function inspectFailed(failure: AppError): AppError {
  const { publicMessage, hint } = failure;
  return new AppError("engine-unavailable", publicMessage, { ...(hint !== undefined && { hint }), cause: failure });
}
