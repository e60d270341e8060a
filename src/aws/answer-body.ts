import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

/** Many times what AWS answers to the calls that we make. */
const BODY_BYTES_MAX = 1024 * 1024;
/** The code of what is too long, whether as it came or unpacked: that of `node:zlib`. */
export const TOO_LONG = "ERR_BUFFER_TOO_LARGE";

const UNPACK = new Map([
  ["gzip", gunzipSync],
  ["deflate", inflateSync],
  ["br", brotliDecompressSync],
]);

/**
 * The body of an answer that was fetched with `decompress: false`: Bun unpacks ahead of who reads, without a bound.
 *
 * @throws an Error with a `code`: `TOO_LONG` for a body of more than 1 MiB, or what the connection or the unpacking says
 */
export async function readBody(answer: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) throw Object.assign(new Error("the answer is too long"), { code: TOO_LONG });
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const unpack = UNPACK.get(answer.headers.get("content-encoding") ?? "");
  return unpack === undefined || bytes === 0 ? body : unpack(body, { maxOutputLength: BODY_BYTES_MAX });
}
