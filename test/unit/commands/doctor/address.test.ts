import { describe, expect, test } from "bun:test";
import { type AddressFacts, checkAddress, isOurImage } from "../../../../src/commands/doctor/address.ts";

const NOBODY: AddressFacts = { interfaces: [], answering: { by: "nobody" }, container: undefined, listener: undefined };
const ours = { name: "ecs", image: "ecs-local-endpoints:dev" };
const web = { name: "web", image: "nginx:1" };

describe("the address", () => {
  for (const [title, facts, state, text] of [
    ["nobody is at", {}, "warning", "nobody is at 169.254.170.2"],
    ["an interface has without a server", { interfaces: ["lo"] }, "warning", "(interface lo), port 80: nobody"],
    [
      "our server answers at",
      { answering: { by: "us" }, container: ours },
      "ok",
      "answers at 169.254.170.2 (container ecs)",
    ],
    ["our image has, out of reach", { container: ours }, "ok", "cannot be asked from here"],
    ["another container has", { answering: { by: "other" }, container: web }, "problem", "(container web)"],
    [
      "another process has",
      { answering: { by: "other" }, interfaces: ["lo"], listener: "nginx (process 812)" },
      "problem",
      "by nginx (process 812)",
    ],
    [
      "somebody answers at",
      { answering: { by: "other" }, listener: "nginx (process 812)" },
      "problem",
      "something else",
    ],
  ] as const) {
    test(`that ${title} is ${state}`, () => {
      const found = checkAddress({ ...NOBODY, ...facts });
      expect(found).toMatchObject({ state, message: expect.stringContaining(text) });
      expect(found.remedy !== undefined).toBe(state !== "ok");
    });
  }
  for (const [image, is] of [
    ["ecs-local-endpoints:dev", true],
    ["ghcr.io/someone/ecs-local-endpoints@sha256:00", true],
    ["amazon/amazon-ecs-local-container-endpoints:latest-arm64", true],
    ["docker.io/library/ecs-local-endpoints-test:latest", true],
    ["not-ecs-local-endpoints:1", false],
    ["nginx", false],
  ] as const) {
    test(`the image ${image} is ${is ? "" : "not "}taken for our server's`, () => expect(isOurImage(image)).toBe(is));
  }
});
