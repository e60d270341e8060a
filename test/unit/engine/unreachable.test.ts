import { describe, expect, test } from "bun:test";
import { unreachable } from "../../../src/engine/client.ts";

const failure = (code: string) => Object.assign(new Error("Was there a typo in the url or port?"), { code });

describe("an engine that is not reached", () => {
  for (const [title, cause, said] of [
    [
      "for want of a socket",
      failure("ENOENT"),
      "is not there; start the engine, or mount its socket, or set DOCKER_HOST",
    ],
    [
      "for want of a right",
      failure("EACCES"),
      "may not be opened by this user; add the user to the socket's group (--group-add in a container)",
    ],
    ["for want of a listener", failure("ECONNREFUSED"), "accepts no connection; start the engine"],
    [
      "for want of a listener, in Bun's words",
      failure("FailedToOpenSocket"),
      "accepts no connection; start the engine",
    ],
    [
      "in time",
      new DOMException("The operation timed out.", "TimeoutError"),
      "does not answer; check whether the engine is healthy",
    ],
    ["to the end", failure("ECONNRESET"), "broke off the connection; check whether the engine is healthy"],
    ["for no reason known", "a text", "broke off the connection; check whether the engine is healthy"],
  ] as const) {
    test(`${title} is named with what is wrong and what to do`, () => {
      const error = unreachable("unix:///run/x.sock", cause);
      expect([error.code, error.sentence]).toEqual(["engine-unavailable", `The engine at unix:///run/x.sock ${said}`]);
      expect(error.cause).toBe(cause);
    });
  }
});
