import { expect, test } from "bun:test";
import { signed } from "../../../scripts/distribution/macho.ts";
import { signatureFaults } from "../../support/programs.ts";

const LIMIT = 10_000;

function segment(name: string, offset: number, bytes: number): Buffer {
  const command = Buffer.alloc(72);
  command.writeUInt32LE(0x19, 0);
  command.writeUInt32LE(72, 4);
  command.write(name, 8);
  command.writeBigUInt64LE(BigInt(bytes), 32);
  command.writeBigUInt64LE(BigInt(offset), 40);
  command.writeBigUInt64LE(BigInt(bytes), 48);
  return command;
}

/** The least that has a signature: two segments, and at the end what is not of these bytes. */
function program(): Buffer {
  const header = Buffer.alloc(32);
  header.writeUInt32LE(0xfeedfacf, 0);
  header.writeUInt32LE(3, 16);
  const signature = Buffer.alloc(16);
  for (const [index, value] of [0x1d, 16, LIMIT, 100].entries()) signature.writeUInt32LE(value, index * 4);
  const commands = [header, segment("__TEXT", 0, 8192), segment("__LINKEDIT", 8192, LIMIT + 100 - 8192), signature];
  const file = Buffer.alloc(LIMIT + 100, 7);
  file.set(Buffer.concat(commands), 0);
  file.writeUInt32BE(20, LIMIT + 16);
  return file;
}

test("a program for macOS whose signature is of other bytes has one of its own after it was signed", () => {
  expect(signatureFaults(program())).toEqual(["there is no code directory"]);
  const after = Buffer.from(signed(program(), "ecs-local-endpoints"));
  expect(signatureFaults(after)).toEqual([]);
  expect(after.toString("latin1", LIMIT)).toContain("ecs-local-endpoints\0");
  // The last segment ends with the file, in memory at a page's end.
  expect(after.readBigUInt64LE(32 + 72 + 40) + after.readBigUInt64LE(32 + 72 + 48)).toBe(BigInt(after.length));
  expect(Number(after.readBigUInt64LE(32 + 72 + 32)) % 0x4000).toBe(0);
  expect(after.subarray(32 + 144 + 16, LIMIT).equals(program().subarray(32 + 144 + 16, LIMIT))).toBe(true);
  after[5_000] = 8;
  expect(signatureFaults(after)).toEqual(["page 1 differs"]);
});

test("what is not a Mach-O file, or has no signature, is refused", () => {
  expect(() => signed(Buffer.alloc(64), "x")).toThrow("not a Mach-O file");
  const bare = program();
  bare.writeUInt32LE(2, 16);
  expect(() => signed(bare, "x")).toThrow("has no place for a signature");
});
