import { describe, expect, test } from "bun:test";
import { type AddressFacts, checkAddress, isOurImage, isServed } from "../../../../src/commands/doctor/address.ts";
import { COMMANDS } from "../../../support/doctor-commands.ts";

const NOTHING: AddressFacts = {
  interfaces: [],
  answering: { by: "none" },
  container: undefined,
  isRemote: false,
  ledPort: undefined,
  mayBeLed: false,
};
const ours = { name: "ecs", image: "ecs-local-endpoints:dev" };
const web = { name: "web", image: "nginx:1" };

const REFUSED = { by: "none", isRefused: true } as const;

const RUN =
  "run our image at that address of a network 169.254.170.0/24 (for Compose: ecs-local-endpoints compose), or lead it to a server here: sudo ecs-local-endpoints network up && ecs-local-endpoints --port 51679";
const START = "start our server: ecs-local-endpoints --port 51679";
const INSTEAD = "stop it (docker stop web), and run our image at that address";

describe("the address", () => {
  for (const [title, facts, state, text, remedy] of [
    ["there is no server at", {}, "warning", "there is no server at 169.254.170.2", RUN],
    [
      "an interface has without a server",
      { interfaces: ["lo"] },
      "warning",
      "(interface lo), port 80: no answer",
      START,
    ],
    [
      "rules lead to no server",
      { ledPort: 51679 },
      "warning",
      "(led to port 51679 by network up), port 80: no answer",
      START,
    ],
    ["another container has in silence", { container: web }, "warning", "(container web), port 80: no answer", INSTEAD],
    [
      "our server answers at",
      { answering: { by: "us" }, container: ours },
      "ok",
      "answers at 169.254.170.2 (container ecs)",
      undefined,
    ],
    ["our image has, out of reach", { container: ours }, "ok", "cannot be asked from here", undefined],
    [
      "our image has and refuses",
      { container: ours, answering: REFUSED },
      "problem",
      "(container ecs) has our image, which refuses port 80",
      "let its server listen on port 80 of all addresses: without --port, --bind, ECS_LOCAL_METADATA_PORT and ECS_LOCAL_BIND_ADDRESS (docker logs ecs shows its port)",
    ],
    ["another container has", { answering: { by: "other" }, container: web }, "problem", "(container web)", INSTEAD],
    [
      "another process has",
      { answering: { by: "other" }, interfaces: ["lo"] },
      "problem",
      "(interface lo), port 80, is answered by another program",
      `see which: sudo ss -ltnp sport = :80; stop it, and ${START}`,
    ],
    [
      "another process has by the rules",
      { answering: { by: "other" }, ledPort: 51679 },
      "problem",
      "(led to port 51679 by network up), port 80, is answered by another program",
      `see which: sudo ss -ltnp sport = :51679; stop it, and ${START}`,
    ],
    ["somebody beyond answers at", { answering: { by: "other" } }, "problem", "another program: no interface", RUN],
  ] as const) {
    test(`that ${title} is ${state}`, () => {
      const found = checkAddress({ ...NOTHING, ...facts }, COMMANDS);
      expect(found).toMatchObject({ state, message: expect.stringContaining(text) });
      expect(found.remedy).toBe(remedy);
    });
  }
  test("that our image has is served, unless it is the container that refuses", () => {
    const of = (more: Partial<AddressFacts>) => {
      const facts = { ...NOTHING, container: ours, ...more };
      return [isServed(facts), checkAddress(facts, COMMANDS).state];
    };
    expect(of({})).toEqual([true, "ok"]);
    expect(of({ answering: REFUSED })).toEqual([false, "problem"]);
    // What this machine has or leads there is asked first, and who refuses beyond it may be anybody.
    for (const more of [{ interfaces: ["lo"] }, { mayBeLed: true }, { isRemote: true }]) {
      expect(of({ answering: REFUSED, ...more })).toEqual([true, "ok"]);
    }
    expect(isServed({ ...NOTHING, container: web })).toBe(false);
    expect(isServed({ ...NOTHING, answering: { by: "us" } })).toBe(true);
  });
  test("is not led by rules where there can be none", () => {
    expect(checkAddress(NOTHING, { ...COMMANDS, networkUp: undefined }).remedy).not.toContain("network up");
  });
  test("that a container has is freed by a command that has its name as one word", () => {
    const container = { name: "w; touch y", image: "nginx:1" };
    for (const answering of [{ by: "other" }, { by: "none" }] as const) {
      expect(checkAddress({ ...NOTHING, container, answering }, COMMANDS).remedy).toStartWith(
        "stop it (docker stop 'w; touch y'), and",
      );
    }
  });
  for (const [image, is] of [
    ["ecs-local-endpoints:dev", true],
    ["ghcr.io/someone/ecs-local-endpoints@sha256:00", true],
    ["amazon/amazon-ecs-local-container-endpoints:latest-arm64", true],
    ["docker.io/library/ecs-local-endpoints:test", true],
    ["ecs-local-endpoints-web", false],
    ["ecs-local-endpoints-test:latest", false],
    ["not-ecs-local-endpoints:1", false],
    ["nginx", false],
  ] as const) {
    test(`the image ${image} is ${is ? "" : "not "}taken for our server's`, () => expect(isOurImage(image)).toBe(is));
  }
});
