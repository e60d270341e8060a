const BLOCK = 512;

export interface Member {
  /** With its folders, of which the first has at most 155 bytes, and the rest 100. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly isExecutable?: boolean;
}

/**
 * Packs files as a tar in the form of POSIX 1988, which every tar reads, and gzips it. Nothing in it depends on the machine:
 * the owner is root, the times are all the same, the order is that of the paths.
 *
 * @param made of each file, in seconds since 1970
 */
export function tarGz(members: readonly Member[], made: number): Uint8Array<ArrayBuffer> {
  const sorted = [...members].sort((a, b) => (a.path < b.path ? -1 : 1));
  const blocks = sorted.flatMap(({ path, bytes, isExecutable }) => [
    header(path, bytes.length, isExecutable === true ? 0o755 : 0o644, made),
    bytes,
    new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK),
  ]);
  const tar = Buffer.concat([...blocks, new Uint8Array(2 * BLOCK)]);
  return Bun.gzipSync(tar, { level: 6 });
}

function header(path: string, size: number, mode: number, made: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const cut = path.indexOf("/");
  const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
  if (Buffer.byteLength(prefix) > 155 || Buffer.byteLength(name) > 100)
    throw new Error(`'${path}' is too long for a tar`);
  const octal = (number: number, digits: number) => `${number.toString(8).padStart(digits, "0")}\0`;
  block.write(name, 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(made, 11), 136);
  // Its own sum is taken with spaces in its place.
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\x0000", 257);
  block.write("root", 265);
  block.write("root", 297);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)} `, 148);
  return block;
}
