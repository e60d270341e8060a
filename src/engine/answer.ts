import { AppError } from "../errors.ts";
import { unreachable } from "./unreachable.ts";

const BODY_BYTES_MAX = 32 * 1024 * 1024;
const IS_ENGINE = "see whether it is an engine that answers there";

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
