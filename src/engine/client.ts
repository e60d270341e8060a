import { AppError } from "../errors.ts";
import type { EngineEndpoint } from "./discover.ts";
import { decodeText, type EngineVersion, VersionSchema } from "./schema.ts";

/** The versions of the Engine API that we speak: what we read is the same in all of them. */
const OLDEST_VERSION = "1.40";
const NEWEST_VERSION = "1.56";
const BODY_BYTES_MAX = 32 * 1024 * 1024;

export interface Engine {
  /** Where it is, for messages: `unix:///var/run/docker.sock`. */
  readonly target: string;
  /** The version that both sides know. */
  readonly apiVersion: string;
  /** Whether its stream of events lags: Podman reads its own events back from a file, four times a second. */
  readonly hasLateEvents: boolean;
  /** The body of a GET as text. `path` begins after the version. */
  readonly get: (path: string, options?: { readonly timeoutMs?: number }) => Promise<string>;
  /** The lines of an answer that does not end, until `signal` aborts or the engine closes it. */
  readonly lines: (path: string, signal: AbortSignal) => Promise<AsyncIterable<string>>;
  /** Resolves when the engine answers `/_ping` in time. */
  readonly ping: (timeoutMs: number) => Promise<void>;
}

/**
 * Connects to an engine and agrees on an API version with it.
 *
 * @param apiVersion overrides the agreement, as DOCKER_API_VERSION does for the docker command
 * @throws AppError `engine-unavailable` or `engine-bad-answer`, which name the socket or address
 */
export async function createEngine(
  endpoint: EngineEndpoint,
  apiVersion: string | undefined,
  timeoutMs = 2_000,
): Promise<Engine> {
  const { target } = endpoint;

  async function open(path: string, signal: AbortSignal): Promise<Response> {
    try {
      // `timeout: false`: Bun's own limit ends an idle stream after some minutes. Deadlines are signals.
      const init = { signal, timeout: false, ...endpoint.init } as BunFetchRequestInit;
      return await fetch(`${endpoint.base}${path}`, init);
    } catch (cause) {
      throw unreachable(target, cause);
    }
  }

  async function request(path: string, deadlineMs: number): Promise<string> {
    const response = await open(path, AbortSignal.timeout(deadlineMs));
    const body = await readBounded(response, target);
    if (response.ok) return body;
    const refusal = `The engine at ${target} answered ${response.status} for ${path}: ${body.slice(0, 300).trim()}`;
    // Podman answers 500 for a container that ends while it is being asked for.
    const gone = path.includes("/containers/") && (response.status === 404 || body.includes("no such container"));
    throw new AppError(gone ? "container-unknown" : "engine-refused", refusal);
  }

  const answer = decodeText(VersionSchema, await request("/version", timeoutMs), "its version");
  const version = apiVersion ?? agree(answer, target);
  return {
    target,
    apiVersion: version,
    hasLateEvents: (answer.Components ?? []).some(({ Name }) => Name === "Podman Engine"),
    get: (path, options) => request(`/v${version}${path}`, options?.timeoutMs ?? timeoutMs),
    async lines(path, signal) {
      const response = await open(`/v${version}${path}`, signal);
      if (response.ok && response.body) return splitLines(response.body, target);
      throw new AppError("engine-refused", `The engine at ${target} answered ${response.status} for ${path}`);
    },
    async ping(deadlineMs) {
      await request("/_ping", deadlineMs);
    },
  };
}

/** The newest version that both know; an engine that knows none of ours is told by name. */
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

async function readBounded(response: Response, target: string): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let body = "";
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > BODY_BYTES_MAX) {
        throw new AppError(
          "engine-bad-answer",
          `The engine at ${target} sent an answer of more than 32 MiB; it was refused`,
        );
      }
      body += decoder.decode(chunk, { stream: true });
    }
  } catch (cause) {
    throw cause instanceof AppError ? cause : unreachable(target, cause);
  }
  return body + decoder.decode();
}

/** A line that has no end yet is kept back, and dropped when the stream ends in the middle of it. */
async function* splitLines(body: ReadableStream<Uint8Array>, target: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of body) {
      rest += decoder.decode(chunk, { stream: true });
      if (rest.length > BODY_BYTES_MAX) {
        throw new AppError(
          "engine-bad-answer",
          `The engine at ${target} sent a line of more than 32 MiB; it was refused`,
        );
      }
      let end = rest.indexOf("\n");
      while (end >= 0) {
        const line = rest.slice(0, end).trim();
        rest = rest.slice(end + 1);
        if (line !== "") yield line;
        end = rest.indexOf("\n");
      }
    }
  } catch (cause) {
    throw cause instanceof AppError ? cause : unreachable(target, cause);
  }
}

/** Bun's own sentence for a missing socket asks about a typo in the port: what is wrong is in the code. */
function unreachable(target: string, cause: unknown): AppError {
  const code = (cause as { code?: unknown }).code;
  const name = cause instanceof Error ? cause.name : "";
  const [reason, hint] =
    name === "TimeoutError"
      ? ["does not answer", "see whether the engine is healthy"]
      : code === "ENOENT"
        ? ["is not there", "start the engine, or mount its socket, or set DOCKER_HOST"]
        : code === "EACCES"
          ? ["may not be opened by this user", "add the user to the socket's group (--group-add in a container)"]
          : code === "ECONNREFUSED" || code === "FailedToOpenSocket"
            ? ["accepts no connection", "start the engine"]
            : ["broke off the connection", "see whether the engine is healthy"];
  return new AppError("engine-unavailable", `The engine at ${target} ${reason}`, { hint, cause });
}
