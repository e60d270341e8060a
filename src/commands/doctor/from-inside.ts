import { Type } from "@sinclair/typebox";
import { readBounded, unreachable } from "../../engine/client.ts";
import type { EngineEndpoint } from "../../engine/discover.ts";
import { decodeText } from "../../engine/schema.ts";
import { AppError } from "../../errors.ts";
import { shellWords, truncate } from "../../text.ts";
import { isImageName } from "../compose/options.ts";
import { type Answering, askHealth, askHere, readStart } from "../health-client.ts";
import type { Answered, Inside } from "./reachability.ts";

const OWN_IMAGE = "ecs-local-endpoints:dev";
const ASK_MS = 3_000;
const RETRY_MS = 200;
/** A busy engine takes seconds to start a container. */
const RUN_MS = 15_000;
/** Ctrl-C waits no longer for the removal of a container. */
const REMOVE_MS = 2_000;
const MESSAGE_CHARACTERS_MAX = 1_000;
const OUTPUT_BYTES_MAX = 16_384;
const MEMORY_BYTES = 256 * 1024 * 1024;
/** Podman's defaults may be more than it can set in a sandbox. */
const ULIMITS = ["nofile", "nproc"].map((Name) => ({ Name, Soft: 1024, Hard: 1024 }));

const CreatedSchema = Type.Object({ Id: Type.String() });
const strings = Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()]));
const ImageSchema = Type.Object({
  Config: Type.Optional(Type.Union([Type.Object({ Entrypoint: strings }), Type.Null()])),
});

interface InsideAnswers {
  readonly credentials?: Answered;
  readonly metadata?: Answered;
  readonly server: Answering["by"];
}

/**
 * `doctor --from-inside`, which runs in the container: asks as an SDK does. Only the text of a refusal is kept, never
 * credentials.
 */
export async function askFromInside(address: string, port: number): Promise<InsideAnswers> {
  const base = `http://${address}:${port}`;
  const until = performance.now() + ASK_MS;
  const [credentials, metadata, answering] = await Promise.all([
    ask(`${base}/creds`, until),
    ask(`${base}/v3`, until),
    askHealth(address, port),
  ]);
  return { ...(credentials && { credentials }), ...(metadata && { metadata }), server: answering.by };
}

async function ask(url: string, until: number): Promise<Answered | undefined> {
  let last: Answered | undefined;
  do {
    try {
      const answer = await askHere(url, AbortSignal.timeout(Math.max(1, until - performance.now())));
      if (answer.ok) {
        await answer.body?.cancel();
        return { status: answer.status };
      }
      last = { status: answer.status, message: messageOf(await readStart(answer)) };
    } catch {
      return last;
    }
    // "Still fetching, retry": as an SDK does.
    if (last.status === 503) await Bun.sleep(RETRY_MS);
  } while (last.status === 503 && performance.now() < until);
  return last;
}

/** The text of our errors: an object's message, or a JSON string. */
function messageOf(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as string | { message?: unknown };
    const text = typeof value === "string" ? value : value.message;
    return typeof text === "string" ? text.slice(0, MESSAGE_CHARACTERS_MAX) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Checks `--image`: the name becomes a part of a path of the engine's API.
 *
 * @throws AppError `bad-configuration`
 */
export function checkImage(image: string | undefined, startsContainers: boolean): void {
  if (image === undefined) return;
  if (!startsContainers) {
    throw new AppError("bad-configuration", `--image is '${image}', and doctor starts no container`, {
      hint: "add --start-containers, which asks from inside each network",
    });
  }
  if (isImageName(image)) return;
  throw new AppError("bad-configuration", `--image is '${image}', which is not an image name`, {
    hint: "give the server's image as docker image ls shows it",
  });
}

/**
 * Makes the function that asks from inside a network, by a container of the server's image that runs for a few seconds.
 * The engine removes it when it ends.
 *
 * @param options.cli the engine's own command, for remedies
 * @param options.ended removes what runs when it aborts
 */
export function createInside(options: {
  readonly endpoint: EngineEndpoint;
  readonly apiVersion: string;
  readonly image: string | undefined;
  readonly cli: string;
  readonly ended: AbortSignal;
}): (network: string) => Promise<Inside> {
  const { endpoint, apiVersion, image = OWN_IMAGE, cli, ended } = options;
  let checked: Promise<Inside | undefined> | undefined;

  async function call(method: string, path: string, signal: AbortSignal, body?: object): Promise<Response> {
    const init = {
      ...{ method, signal, ...endpoint.init },
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    } as BunFetchRequestInit;
    try {
      return await fetch(`${endpoint.base}/v${apiVersion}${path}`, init);
    } catch (cause) {
      throw unreachable(endpoint.target, cause);
    }
  }

  async function read(method: string, path: string, signal: AbortSignal, body?: object): Promise<string> {
    const response = await call(method, path, signal, body);
    const answer = await readBounded(response, endpoint.target);
    if (response.ok) return answer;
    const text = `The engine at ${endpoint.target} answered ${response.status} for ${path.split("?")[0]}`;
    throw new AppError("engine-refused", `${text}: ${truncate(answer.trim(), 300)}`);
  }

  async function checkEntrypoint(signal: AbortSignal): Promise<Inside | undefined> {
    const response = await call("GET", `/images/${image}/json`, signal);
    const answer = await readBounded(response, endpoint.target);
    const cannot = "cannot be asked from inside";
    if (response.status === 404) {
      const remedy = "build it with ./scripts/image, or name the server's image: --image NAME";
      return { kind: "unasked", why: `${cannot}: the engine has no image ${image}`, remedy };
    }
    const [first = ""] = decodeText(ImageSchema, answer, `the image ${image}`).Config?.Entrypoint ?? [];
    if (/(^|\/)ecs-local-endpoints$/.test(first)) return undefined;
    const why = `${cannot}: the image ${image} is not ecs-local-endpoints`;
    return { kind: "unasked", why, remedy: "name the server's image: --image NAME" };
  }

  async function run(network: string, signal: AbortSignal): Promise<string> {
    // Named before it exists, so that it can be removed if the answer does not come in time.
    const name = `ecs-local-doctor-${crypto.randomUUID().slice(0, 13)}`;
    let isCreated = false;
    try {
      const document = {
        Image: image,
        Cmd: ["doctor", "--from-inside"],
        Healthcheck: { Test: ["NONE"] },
        HostConfig: { NetworkMode: network, AutoRemove: true, Memory: MEMORY_BYTES, Ulimits: ULIMITS },
      };
      const created = await read("POST", `/containers/create?name=${name}`, signal, document);
      isCreated = true;
      const { Id } = decodeText(CreatedSchema, created, "the container that asks");
      // Before it starts: the engine removes it, with its log, when it ends.
      const output = await call("POST", `/containers/${Id}/attach?stream=1&stdout=1&stderr=1`, signal);
      await read("POST", `/containers/${Id}/start`, signal);
      return await demultiplex(output);
    } finally {
      const late = AbortSignal.timeout(REMOVE_MS);
      const remove = () => call("DELETE", `/containers/${name}?force=true&v=true`, late).catch(() => undefined);
      // An engine that has not answered may still create it.
      while ((await remove())?.status === 404 && !isCreated && !late.aborted) await Bun.sleep(RETRY_MS);
    }
  }

  return async (network) => {
    const signal = AbortSignal.any([ended, AbortSignal.timeout(RUN_MS)]);
    const unasked = (why: string): Inside => {
      const command = shellWords(["run", "--rm", "--network", network, image, "doctor", "--from-inside"]);
      const remedy = `run it to see why: ${cli} ${command}`;
      return { kind: "unasked", why: `could not be asked from inside: ${why}`, remedy };
    };
    try {
      checked ??= checkEntrypoint(signal);
      return (await checked) ?? parse(await run(network, signal)) ?? unasked(`the image ${image} printed no answer`);
    } catch (error) {
      return unasked(error instanceof AppError ? error.publicMessage : "the container that asks failed");
    }
  };
}

function parse(output: string): Inside | undefined {
  try {
    const { credentials, metadata, server } = JSON.parse(output) as Record<string, unknown>;
    const by = server === "us" || server === "other" ? server : undefined;
    return { kind: "asked", credentials: toAnswered(credentials), metadata: toAnswered(metadata), server: by };
  } catch {
    return undefined;
  }
}

function toAnswered(value: unknown): Answered | undefined {
  const { status, message } = (value ?? {}) as { status?: unknown; message?: unknown };
  if (typeof status !== "number") return undefined;
  return { status, ...(typeof message === "string" && { message }) };
}

/** The engine sends frames: the stream's number, three zeros, the length in four bytes, the text. */
async function demultiplex(response: Response): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of response.body ?? []) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length > OUTPUT_BYTES_MAX) break;
  }
  let text = "";
  for (let at = 0; at + 8 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    text += bytes.toString("utf8", at + 8, end);
    at = end;
  }
  return text;
}
