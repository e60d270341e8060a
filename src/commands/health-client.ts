/** Many times what /health or a refusal is: whoever is at the port may send without end. */
const BODY_BYTES_MAX = 64 * 1024;

/** Of a word that whoever is at a port says, no more is shown. */
export const SHOWN_CHARACTERS_MAX = 80;

/** A GET of this machine or its containers: no redirect leads away, and whatever HTTP_PROXY says, no proxy is the way there. */
export function askHere(url: string, signal: AbortSignal): Promise<Response> {
  // Bun's types do not know `false` yet.
  return fetch(url, { signal, redirect: "manual", proxy: false } as unknown as BunFetchRequestInit);
}

/** The body, cut off at its bound. */
export async function readStart({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk.subarray(0, BODY_BYTES_MAX - bytes), { stream: true });
    bytes += chunk.byteLength;
    if (bytes >= BODY_BYTES_MAX) break;
  }
  return text;
}

/**
 * What our server says at `/health`, undefined where another answers. Fields that we do not know are none of our business:
 * it may be newer.
 */
export function healthOf({ status }: Response, text: string): Record<string, unknown> | undefined {
  if (status !== 200) return undefined;
  try {
    const health = Object(JSON.parse(text)) as Record<string, unknown>;
    return health.status === "ok" ? health : undefined;
  } catch {
    return undefined;
  }
}
