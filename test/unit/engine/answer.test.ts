import { describe, expect, test } from "bun:test";
import { readBounded, splitLines } from "../../../src/engine/client.ts";
import { chunks, MIB } from "./socket-server.ts";

const TARGET = "unix:///run/x.sock";
const refusal = (what: string) =>
  expect.objectContaining({
    code: "engine-bad-answer",
    message: `The engine at ${TARGET} sent ${what} of more than 32 MiB`,
  }) as Error;

/** A body that is one part many times, and then another. */
function repeated(part: string, times: number, end: string): Response {
  const [bytes, last] = [new TextEncoder().encode(part), new TextEncoder().encode(end)];
  let sent = 0;
  return new Response(
    new ReadableStream({
      pull(controller) {
        controller.enqueue(sent < times ? bytes : last);
        sent += 1;
        if (sent > times) controller.close();
      },
    }),
  );
}

/** A body that breaks off after a part. */
function broken(part: string): Response {
  return new Response(
    new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode(part));
        await Bun.sleep(1);
        controller.error(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
      },
    }),
  );
}

const brokeOff = expect.objectContaining({
  code: "engine-unavailable",
  message: `The engine at ${TARGET} broke off the connection`,
}) as Error;

describe("a body", () => {
  for (const [title, parts, expected] of [
    ["is put together", ["a", "b\n", "c"], "ab\nc"],
    [
      "is whole where chunks cut characters",
      [...new TextEncoder().encode("ä€😀")].map((byte) => Uint8Array.of(byte)),
      "ä€😀",
    ],
    ["is text to its end, where that is the beginning of a character", ["a", Uint8Array.of(0xc3)], "a\ufffd"],
    ["may be empty", [], ""],
  ] as const) {
    test(title, async () => expect(await readBounded(chunks(parts), TARGET)).toBe(expected));
  }
  test("may be none", async () => expect(await readBounded(new Response(null), TARGET)).toBe(""));
  test("of 32 MiB is taken, and of a byte more refused", async () => {
    expect(await readBounded(repeated(" ".repeat(MIB), 32, ""), TARGET)).toHaveLength(32 * MIB);
    await expect(readBounded(repeated(" ".repeat(MIB), 32, " "), TARGET)).rejects.toThrow(refusal("an answer"));
  });
  test("that breaks off is an error", async () => {
    await expect(readBounded(broken("a"), TARGET)).rejects.toThrow(brokeOff);
  });
});

describe("lines", () => {
  const split = (response: Response) => splitLines(response.body ?? new ReadableStream(), TARGET);

  for (const [title, parts, expected] of [
    ["are cut at line breaks", ['{"a":1}\n{"b":2}\n'], ['{"a":1}', '{"b":2}']],
    ["are put together across chunks", ['{"a"', ":1}", '\n{"b":2}', "\n"], ['{"a":1}', '{"b":2}']],
    ["are put together where a chunk ends one and begins the next", ["a\nb", "c\nd", "e\n"], ["a", "bc", "de"]],
    ["are whole where a chunk cuts a character", [Uint8Array.of(0xc3), Uint8Array.of(0xa4, 10)], ["ä"]],
    ["may end as Windows has it", ["a\r\nb\r", "\n"], ["a", "b"]],
    ["that are empty are left out", ["\n\na\n \n", "\n"], ["a"]],
    ["that have no end are dropped", ['a\n{"half":'], ["a"]],
    ["are none in an empty stream", [], []],
  ] as const) {
    test(title, async () => expect(await Array.fromAsync(split(chunks(parts)))).toEqual([...expected]));
  }

  test("are given as they come, before the next", async () => {
    const lines = split(repeated("a\nb", Number.POSITIVE_INFINITY, ""));
    expect((await lines.next()).value).toBe("a");
    expect((await lines.next()).value).toBe("ba");
    await lines.return(undefined);
  });

  test("of 32 MiB are taken in little time, in however many chunks they come", async () => {
    const begunMs = performance.now();
    const lines = await Array.fromAsync(split(repeated("x".repeat(8192), 4096, "\ny\n")));
    expect(lines.map((line) => line.length)).toEqual([32 * MIB, 1]);
    expect(performance.now() - begunMs).toBeLessThan(2_000);
  });

  for (const [title, end] of [
    ["that ends", "x\n"],
    ["that has no end yet", "x"],
  ] as const) {
    test(`of a byte more are refused: one ${title}`, async () => {
      const seen: string[] = [];
      const following = (async () => {
        for await (const line of split(repeated("x".repeat(MIB), 32, end))) seen.push(line);
      })();
      await expect(following).rejects.toThrow(refusal("a line"));
      expect(seen).toEqual([]);
    });
  }

  test("are measured each for itself", async () => {
    const lines = await Array.fromAsync(split(repeated(`${"x".repeat(MIB)}\n`, 40, "")));
    expect(lines).toHaveLength(40);
  });

  test("of a stream that breaks off are an error after what came", async () => {
    const lines = split(broken("a\nb"));
    expect((await lines.next()).value).toBe("a");
    await expect(lines.next()).rejects.toThrow(brokeOff);
  });
});
