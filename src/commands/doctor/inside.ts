import type { Runner } from "../../engine/run-once.ts";
import { AppError } from "../../errors.ts";
import { TASK_ADDRESS } from "../../network/plan.ts";
import { shellWords } from "../../text.ts";
import { isImageName } from "../image-name.ts";
import type { Answered, Inside } from "./reachability.ts";

/** The image that `./scripts/image` makes. */
const OWN_IMAGE = "ecs-local-endpoints:dev";

const RUN_MS = 4_500;
const PROGRAM = /(^|\/)ecs-local-endpoints$/;

/**
 * Says the status line alone, so that no credentials come into a container's log. What nc reads is held open: a server may
 * take its end for the end of who asks.
 */
const SHELL = `ask() {
  if command -v curl >/dev/null; then curl -s -o /dev/null -m 2 --noproxy '*' -w '%{http_code}' http://${TASK_ADDRESS}$1
  elif command -v nc >/dev/null; then
    { printf 'GET %s HTTP/1.1\\r\\nHost: ${TASK_ADDRESS}\\r\\nConnection: close\\r\\n\\r\\n' "$1"; sleep 2; } |
      nc -w 2 ${TASK_ADDRESS} 80 2>/dev/null | head -n 1 | cut -d ' ' -f 2
  elif command -v wget >/dev/null; then wget -q -T 2 -O /dev/null http://${TASK_ADDRESS}$1 2>/dev/null && echo 200
  else echo no-client; fi
}
echo "credentials $(ask /creds)" &
echo "metadata $(ask /v3)" &
wait`;

/**
 * Makes what asks from inside of a network by a container that lives for some seconds and is always removed.
 *
 * @param image one that the engine has: with this program as its entry point, or with a shell and curl, nc or wget;
 *   ours unless given
 * @param cli the engine's own command
 */
export function createInside(
  runner: Runner,
  image: string = OWN_IMAGE,
  cli = "docker",
): (network: string) => Promise<Inside> {
  let entrypoint: Promise<readonly string[] | undefined> | undefined;

  return async (network) => {
    let command: readonly string[] = [];
    const unasked = (why: string): Inside => {
      const byHand = `${cli} ${shellWords(["run", "--rm", "--network", network, image, ...command])}`;
      return {
        kind: "unasked",
        why: `could not be asked from inside: ${why}`,
        remedy: `see whether it starts by hand (${byHand}), or give another: --image NAME`,
      };
    };
    try {
      entrypoint ??= runner.entrypointOf(image);
      const found = await entrypoint;
      if (found === undefined) return noImage(image);
      const isOurs = PROGRAM.test(found[0] ?? "");
      if (isOurs) command = ["doctor", "--from-inside"];
      const shell = isOurs ? {} : { entrypoint: ["sh", "-c", SHELL] };
      const output = await runner.run({ image, network, runMs: RUN_MS, command, ...shell });
      if (!isOurs) return readShell(output) ?? useless(image);
      return readOwn(output) ?? unasked(`the image ${image} gave no answer that could be read`);
    } catch (error) {
      return unasked(error instanceof AppError ? error.publicMessage : "the container that asks failed");
    }
  };
}

/**
 * Its name becomes a part of a path of the engine's.
 *
 * @throws AppError `bad-configuration` for what is no image's name, with or without tag and digest, and no id; or where
 *   nothing is to be started from it
 */
export function checkImage(image: string | undefined, isToStart: boolean): void {
  if (image === undefined) return;
  if (!isToStart) {
    throw new AppError("bad-configuration", `--image is '${image}', and no container is to be started from it`, {
      hint: "add --start-containers, which asks from inside of each network",
    });
  }
  if (isImageName(image)) return;
  throw new AppError("bad-configuration", `--image is '${image}', which is no image's name`, {
    hint: "give one that docker image ls shows, such as curlimages/curl:8.11.0",
  });
}

function noImage(image: string): Inside {
  return {
    kind: "unasked",
    why: `cannot be asked from inside: the engine has no image ${image}`,
    remedy: "make it with ./scripts/image, or give one that is there: --image NAME (with a shell and curl, nc or wget)",
  };
}

function useless(image: string): Inside {
  return {
    kind: "unasked",
    why: `cannot be asked from inside with the image ${image}: it has neither this program nor a shell with curl, nc or wget`,
    remedy: "give one that has: --image NAME",
  };
}

function readOwn(output: string): Inside | undefined {
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

function readShell(output: string): Inside | undefined {
  const lines = new Map(
    [...output.matchAll(/^(credentials|metadata) ?(\S*)\r?$/gm)].map(([, key, value]) => [key, value]),
  );
  const of = (key: string): Answered | undefined => {
    const status = Number(lines.get(key));
    return status >= 100 ? { status } : undefined;
  };
  if (!lines.has("credentials") || lines.get("credentials") === "no-client") return undefined;
  return { kind: "asked", credentials: of("credentials"), metadata: of("metadata") };
}
