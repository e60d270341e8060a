import { describe, expect, test } from "bun:test";
import {
  decodeText,
  EventSchema,
  InspectSchema,
  ListSchema,
  NetworksSchema,
  VersionSchema,
} from "../../../src/engine/schema.ts";
import type { AppError } from "../../../src/errors.ts";
import { container } from "../../support/containers.ts";
import { network } from "../../support/networks.ts";

const full = container({
  name: "web",
  health: { status: "healthy", log: [{ Start: "", End: "", ExitCode: 0, Output: "" }] },
  ports: { "80/tcp": [{ HostIp: "::", HostPort: "80" }], "81/tcp": null },
});
const { State } = full;
const net = network({ name: "n", subnet: "10.0.0.0/8", gateway: "10.0.0.1" });
const event = { Type: "container", Action: "start", Actor: { ID: "a", Attributes: { name: "web" } } };
const least = { Id: "a", Name: "/a", Image: "", Created: "", State: { Running: true }, Config: {}, HostConfig: {} };

describe("accepted", () => {
  for (const [title, schema, value] of [
    ["an inspect document", InspectSchema, full],
    ["the least inspect document", InspectSchema, least],
    [
      "an inspect document with null for what it has not",
      InspectSchema,
      {
        ...least,
        State: { Running: false, StartedAt: null, Health: null },
        Config: { Labels: null, Healthcheck: null },
        NetworkSettings: { Ports: null, Networks: { n: { IPAddress: null } } },
        Mounts: null,
      },
    ],
    ["a list", ListSchema, [{ Id: "a", State: "running" }, { Id: "b" }]],
    ["an empty list", ListSchema, []],
    [
      "networks",
      NetworksSchema,
      [net, { Id: "h", Name: "host", IPAM: { Config: null } }, { Id: "n", Name: "none", IPAM: null }],
    ],
    ["an event", EventSchema, event],
    ["an event without attributes", EventSchema, { ...event, Actor: { ID: "a" } }],
    ["a version", VersionSchema, { ApiVersion: "1.47", MinAPIVersion: "1.24", Version: "29.0.0" }],
    ["a version alone", VersionSchema, { ApiVersion: "1.41" }],
  ] as const) {
    test(`${title}, with keys that we do not know`, () => {
      const known = Array.isArray(value) ? value : { ...(value as object), NewInDocker99: { a: [1] } };
      expect<unknown>(decodeText(schema, JSON.stringify(known), "it")).toEqual(known);
    });
  }
});

describe("refused with the first field that is wrong", () => {
  for (const [title, schema, value, field] of [
    ["no id", InspectSchema, { ...least, Id: undefined }, "/Id"],
    ["an id that is a number", InspectSchema, { ...least, Id: 1 }, "/Id"],
    ["Running as text", InspectSchema, { ...full, State: { ...State, Running: "true" } }, "/State/Running"],
    ["no state", InspectSchema, { ...least, State: undefined }, "/State"],
    ["a label that is a number", InspectSchema, { ...least, Config: { Labels: { a: 1 } } }, "/Config/Labels"],
    ["memory as text", InspectSchema, { ...least, HostConfig: { Memory: "1g" } }, "/HostConfig/Memory"],
    [
      "a streak as text",
      InspectSchema,
      { ...full, State: { ...State, Health: { FailingStreak: "3" } } },
      "/State/Health",
    ],
    ["retries as text", InspectSchema, { ...least, Config: { Healthcheck: { Retries: "3" } } }, "/Config/Healthcheck"],
    ["a list that is an object", ListSchema, {}, "the document"],
    ["an entry without an id", ListSchema, [{ Id: "a" }, {}], "/1/Id"],
    ["a network without a name", NetworksSchema, [{ Id: "a" }], "/0/Name"],
    ["an event without an actor", EventSchema, { Type: "container", Action: "start" }, "/Actor"],
    ["a version that is a number", VersionSchema, { ApiVersion: 1.47 }, "/ApiVersion"],
    ["null", VersionSchema, null, "the document"],
  ] as const) {
    test(title, () => {
      const start = `The engine's answer for container 4f0c is not understood: ${field}: `;
      expect(() => decodeText(schema, JSON.stringify(value), "container 4f0c")).toThrow(
        expect.objectContaining({
          code: "engine-bad-answer",
          message: expect.stringMatching(new RegExp(`^${start}.+`)),
        }),
      );
    });
  }

  for (const text of ["", "{", "<html>", "undefined"]) {
    test(`'${text}', which is not JSON`, () => {
      const message = "The engine's answer for the list of containers is not JSON";
      expect(() => decodeText(ListSchema, text, "the list of containers")).toThrow(
        expect.objectContaining({ code: "engine-bad-answer", message }),
      );
    });
  }

  test("and never with what the engine said", () => {
    const secret = JSON.stringify({ ...least, State: "hunter2" });
    for (const text of [secret, `${secret}}`]) {
      try {
        decodeText(InspectSchema, text, "it");
        expect.unreachable();
      } catch (error) {
        expect((error as AppError).sentence).not.toContain("hunter2");
      }
    }
  });
});
