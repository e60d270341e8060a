import { describe, expect, test } from "bun:test";
import { checkImage, createInside } from "../../../../src/commands/doctor/inside.ts";
import type { Runner } from "../../../../src/engine/run-once.ts";
import { AppError } from "../../../../src/errors.ts";

/** A runner whose containers write a text, and what it was asked to run. */
function runner(entrypoint: readonly string[] | undefined, output: string | Error) {
  const runs: Parameters<Runner["run"]>[0][] = [];
  const made: Runner = {
    entrypointOf: async () => entrypoint,
    async run(what) {
      runs.push(what);
      if (output instanceof Error) throw output;
      return output;
    },
    removeLeft: async () => {},
  };
  return { runs, made };
}

describe("the container that asks", () => {
  test("of our image is the program itself", async () => {
    const { runs, made } = runner(["/ecs-local-endpoints"], '{"credentials":{"status":403,"message":"no"}}\n');
    expect(await createInside(made)("shop")).toEqual({
      kind: "asked",
      credentials: { status: 403, message: "no" },
      metadata: undefined,
    });
    expect(runs).toMatchObject([
      { image: "ecs-local-endpoints:dev", network: "shop", command: ["doctor", "--from-inside"] },
    ]);
    expect(runs[0]?.entrypoint).toBeUndefined();
  });
  test("of another image is a shell", async () => {
    const { runs, made } = runner([], "credentials 200\nmetadata\n");
    const found = await createInside(made, "busybox")("shop");
    expect(found).toEqual({ kind: "asked", credentials: { status: 200 }, metadata: undefined });
    expect(runs).toMatchObject([{ image: "busybox", entrypoint: ["sh", "-c", expect.any(String)], command: [] }]);
  });
  const GIVE = "give one that has: --image NAME";
  const BY_HAND = (words: string) =>
    `see whether it starts by hand (docker run --rm --network shop ${words}), or give another: --image NAME`;
  for (const [title, entrypoint, output, text, remedy] of [
    [
      "is not there where the engine has no image",
      undefined,
      "",
      "no image a:1",
      "make it with ./scripts/image, or give one that is there: --image NAME (with a shell and curl, nc or wget)",
    ],
    [
      "is of no use without a client",
      [],
      "credentials no-client\nmetadata no-client\n",
      "neither this program nor",
      GIVE,
    ],
    ["is of no use with another output", [], "panic", "neither this program nor a shell", GIVE],
    [
      "says why it could not be started",
      [],
      new AppError("engine-refused", "no sh in it"),
      "no sh in it",
      BY_HAND("a:1"),
    ],
    [
      "is not understood where it is ours and says something else",
      ["/ecs-local-endpoints"],
      "ecs-local-endpoints: ECS_LOCAL_METADATA_PORT is 'abc'",
      "the image a:1 gave no answer that could be read",
      BY_HAND("a:1 doctor --from-inside"),
    ],
  ] as const) {
    test(`${title}, and says what to do`, async () => {
      const { made } = runner(entrypoint, output);
      const found = await createInside(made, "a:1")("shop");
      expect(found).toEqual({ kind: "unasked", why: expect.stringContaining(text), remedy });
    });
  }
  test("of our image is not understood with half an answer or none", async () => {
    for (const output of ["", "null", '{"credentials":{"status":403,"message":"cut o']) {
      const { made } = runner(["/ecs-local-endpoints"], output);
      expect(await createInside(made)("shop")).toMatchObject({
        why: "could not be asked from inside: the image ecs-local-endpoints:dev gave no answer that could be read",
      });
    }
  });
  test("is tried by hand with names that are a word each", async () => {
    const { made } = runner([], new Error("no"));
    expect(await createInside(made, "a;b", "podman")("x$(touch y)")).toMatchObject({
      remedy: expect.stringContaining("(podman run --rm --network 'x$(touch y)' 'a;b')"),
    });
  });
});

describe("--image", () => {
  const DIGEST = `sha256:${"0a".repeat(32)}`;
  for (const image of ["a", "ecs:dev", "localhost:5000/a/b_c:1.2-x", `r.example/a@${DIGEST}`, DIGEST, "0a1b2c3d4e5f"]) {
    test(`${image} is taken`, () => expect(() => checkImage(image, true)).not.toThrow());
  }
  for (const image of ["", "../../containers/json?x", "a/../b", "a?x", "a b", "a/", "/a", "a%2f", "a\x1b[31m"]) {
    test(`${JSON.stringify(image)} is refused`, () => {
      expect(() => checkImage(image, true)).toThrow(expect.objectContaining({ code: "bad-configuration" }) as Error);
    });
  }
  test("without --start-containers is refused, as nothing would ask by it", () => {
    expect(() => checkImage("ecs:dev", false)).toThrow(expect.objectContaining({ code: "bad-configuration" }) as Error);
    expect(() => checkImage(undefined, false)).not.toThrow();
  });
});
