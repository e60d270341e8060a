import { constants, type FileHandle, open } from "node:fs/promises";

const PIPE_DEADLINE_MS = 2000;
const PIPE_LOOK_MS = 20;
/** As many as a pipe holds. */
const TOKEN_BYTES_MAX = 65_536;

/**
 * Reads a file of a token, which may be a pipe. No read waits in the kernel: one that does holds one of the few threads
 * that read files, for as long as nobody writes.
 *
 * @returns the text; rejects with the error of the system call, or for a pipe with an Error: nothing came within 2 s, or over 64 KiB
 */
export async function readTokenFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return (await file.stat()).isFIFO() ? await readPipe(file, path) : await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

async function readPipe(file: FileHandle, path: string): Promise<string> {
  const buffer = new Uint8Array(TOKEN_BYTES_MAX);
  const decoder = new TextDecoder();
  let text = "";
  for (const began = performance.now(); performance.now() - began < PIPE_DEADLINE_MS; ) {
    const count = await readSome(file, buffer);
    // Without an end of somebody's who wrote, it is that nobody has opened it yet.
    if (count === 0 && text !== "") return text;
    if (text.length + count > TOKEN_BYTES_MAX) throw new Error(`more came from ${path} than a token has`);
    if (count > 0) text += decoder.decode(buffer.subarray(0, count), { stream: true });
    else await Bun.sleep(PIPE_LOOK_MS);
  }
  throw new Error(`nothing came from ${path} within ${PIPE_DEADLINE_MS / 1000} s`);
}

/** How many bytes there were: 0 where nobody has it open to write, -1 where who has it open wrote nothing yet. */
async function readSome(file: FileHandle, buffer: Uint8Array): Promise<number> {
  try {
    return (await file.read(buffer)).bytesRead;
  } catch (error) {
    if ((error as { code?: string }).code === "EAGAIN") return -1;
    throw error;
  }
}
