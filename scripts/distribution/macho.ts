/** Of a Mach-O file of 64 bits: constants of Apple's loader.h and cs_blobs.h. */
const MAGIC = 0xfeedfacf;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const SUPER_BLOB = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const CODE_DIRECTORY_VERSION = 0x20400;
const ADHOC_LINKER_SIGNED = 0x20002;
const PAGE = 4096;
const SEGMENT_ALIGN = 0x4000;
const HASH = 32;
const BLOB_HEAD = 20;
const DIRECTORY_HEAD = 88;

/**
 * Signs a program for macOS as a linker does: by nobody, but so that its pages are what was signed.
 *
 * The compiler does so for arm64 (Bun's pull request 39837). For x64 it leaves the signature of Bun itself, which is wrong for the changed file, and by
 * whose flags the kernel ends a program with a wrong page.
 *
 * @param program with a signature at its end, which is replaced
 * @param identifier what the signature calls it
 * @throws Error where it is no such program
 */
export function signed(program: Uint8Array, identifier: string): Uint8Array {
  const file = Buffer.from(program);
  if (file.readUInt32LE(0) !== MAGIC) throw new Error("the program is not a Mach-O file of 64 bits");
  const { signature, text, linkedit } = commandsOf(file);
  const limit = file.readUInt32LE(signature + 8);
  const pages = Math.ceil(limit / PAGE);
  const name = Buffer.from(`${identifier}\0`);
  const directoryBytes = DIRECTORY_HEAD + name.length + pages * HASH;
  const size = Math.ceil((BLOB_HEAD + directoryBytes) / 16) * 16;

  // The commands are on the first page: they are changed before it is hashed.
  file.writeUInt32LE(size, signature + 12);
  const linkeditBytes = limit + size - Number(file.readBigUInt64LE(linkedit + 40));
  file.writeBigUInt64LE(BigInt(Math.ceil(linkeditBytes / SEGMENT_ALIGN) * SEGMENT_ALIGN), linkedit + 32);
  file.writeBigUInt64LE(BigInt(linkeditBytes), linkedit + 48);

  const blob = Buffer.alloc(size);
  const directory = blob.subarray(BLOB_HEAD);
  words(blob, [SUPER_BLOB, BLOB_HEAD + directoryBytes, 1, 0, BLOB_HEAD]);
  const offsets = [DIRECTORY_HEAD + name.length, DIRECTORY_HEAD];
  words(directory, [
    CODE_DIRECTORY,
    directoryBytes,
    CODE_DIRECTORY_VERSION,
    ADHOC_LINKER_SIGNED,
    ...offsets,
    0,
    pages,
    limit,
  ]);
  // 32 bytes of SHA-256 for each page of 2^12 bytes.
  directory.set([HASH, 2, 0, Math.log2(PAGE)], 36);
  directory.writeBigUInt64BE(file.readBigUInt64LE(text + 40), 64);
  directory.writeBigUInt64BE(file.readBigUInt64LE(text + 48), 72);
  // This is a main program.
  directory.writeBigUInt64BE(1n, 80);
  directory.set(name, DIRECTORY_HEAD);
  for (let page = 0; page < pages; page += 1) {
    const bytes = file.subarray(page * PAGE, Math.min((page + 1) * PAGE, limit));
    directory.set(new Bun.CryptoHasher("sha256").update(bytes).digest(), DIRECTORY_HEAD + name.length + page * HASH);
  }
  return Buffer.concat([file.subarray(0, limit), blob]);
}

/** Where the commands are that have to do with the signature. */
function commandsOf(file: Buffer) {
  const found: Record<string, number> = {};
  for (let at = 32, left = file.readUInt32LE(16); left > 0; left -= 1, at += file.readUInt32LE(at + 4)) {
    const command = file.readUInt32LE(at);
    if (command === LC_CODE_SIGNATURE) found.signature = at;
    if (command === LC_SEGMENT_64) found[file.toString("latin1", at + 8, at + 24).replace(/\0+$/, "")] = at;
  }
  const { signature, __TEXT: text, __LINKEDIT: linkedit } = found;
  if (signature === undefined || text === undefined || linkedit === undefined) {
    throw new Error("the Mach-O file has no place for a signature");
  }
  return { signature, text, linkedit };
}

function words(into: Buffer, values: readonly number[]): void {
  for (const [index, value] of values.entries()) into.writeUInt32BE(value, index * 4);
}
