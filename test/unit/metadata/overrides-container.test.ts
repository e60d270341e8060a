import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { containerDocument } from "../../../src/metadata/container-document.ts";
import { CONTAINER_FIELDS, mergeOverContainer } from "../../../src/metadata/overrides.ts";
import { container } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

describe("a container's override", () => {
  const document = { Name: "web", Labels: { team: "a" }, Limits: { CPU: 2, Memory: 0 } };
  const over = (override: object) => mergeOverContainer(document, { ...override }, ["web", "shop-web-1", "front"]);
  for (const [title, override, expected] of [
    ["of a field is for all", { Labels: { stage: "dev" } }, { Labels: { team: "a", stage: "dev" } }],
    ["of a field that this version lacks is for all", { LogOptions: { a: "b" } }, { LogOptions: { a: "b" } }],
    [
      "of a field of one's own that is not an object is for all",
      { Extra: [1], More: null },
      { Extra: [1], More: null },
    ],
    ["keyed by its Name is its own", { web: { Image: "x" } }, { Image: "x" }],
    ["keyed by its Docker name is its own", { "shop-web-1": { Image: "x" } }, { Image: "x" }],
    ["keyed by its service is its own", { front: { Image: "x" } }, { Image: "x" }],
    ["keyed by another name is not for it", { web2: { Image: "x" }, we: { Image: "y" } }, {}],
    [
      "keyed by its name is merged over what is for all, whichever comes first",
      { web: { Limits: { CPU: 8 }, Extra: { a: 1 } }, Limits: { CPU: 4, Memory: 9 }, Extra: 1 },
      { Limits: { CPU: 8, Memory: 9 }, Extra: { a: 1 } },
    ],
    [
      "keyed by several of its names is merged in their order",
      { web: { A: 1, B: 1 }, front: { B: 2 } },
      { A: 1, B: 2 },
    ],
  ] as const) {
    test(title, () => expect(over(override)).toEqual({ ...document, ...expected }));
  }
  test("is none where there is none", () => expect(mergeOverContainer(document, undefined, ["web"])).toBe(document));
});

test("every key of a container's document is one of its fields", () => {
  const net = network({ name: "n", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });
  const options = {
    name: "web",
    running: false,
    finishedAt: "2026-01-02T04:00:00Z",
    restartPolicy: "always",
    health: { status: "healthy" },
    ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] },
    mounts: [{ Type: "bind", Source: "/s", Destination: "/d", Mode: "", RW: true }],
  };
  const facts = {
    ...toContainer(withNetwork(container(options), net, { ipv4: "10.0.0.2" })),
    snapshotter: "overlayfs",
  };
  const logged = { ...facts, logOptions: { a: "b" } };
  const task = {
    cluster: "c",
    taskArn: "arn:aws:ecs:eu-west-1:111122223333:task/c/t",
    family: "f",
    revision: "1",
    launchType: "EC2",
    machine: undefined,
  };
  const keys = new Set(["v3", "v4"].flatMap((v) => Object.keys(containerDocument(logged, task, v as "v3", []))));
  expect([...keys].sort()).toEqual([...CONTAINER_FIELDS].sort());
});
