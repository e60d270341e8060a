import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startBinary } from "../support/binary.ts";
import { describeEngines, describeTogether, freeSubnet } from "../support/engines.ts";
import { differences, type Facts, factsOf } from "../support/equal-set.ts";

const ENGINES = ["debian-docker", "moby-29", "podman"];
const env = (host: string) => ({ DOCKER_HOST: host, ECS_LOCAL_BIND_ADDRESS: "0.0.0.0", ECS_LOCAL_OFFLINE: "1" });

/** All that they say of equal containers, in the order of {@link ENGINES}: each has its row in docs/engines.md. */
const DIFFERENCES = [
  'DesiredStatus: "STOPPED", "STOPPED", "RUNNING"',
  "Health.exitCode: 3, 3, 1",
  String.raw`Health.output: "bad\n", "bad\n", "bad"`,
  String.raw`Health.output: "fine\n", "fine\n", "fine"`,
  'Image: "lab/busybox:1", "lab/busybox:1", "localhost/lab/busybox:1"',
  'KnownStatus: "STOPPED", "STOPPED", "CREATED"',
  'LogOptions.max-file: "2", "2", absent',
  'LogOptions.max-size: "1m", "1m", absent',
  'Snapshotter: absent, "overlayfs", absent',
  'Volumes[].Destination: "/memory", "/memory", absent',
];

describeTogether("equal containers on Docker 20.10, Docker 29 and Podman", ENGINES, (engines) => {
  const facts: Facts[] = [];

  beforeAll(async () => {
    for (const engine of engines) {
      const server = await startBinary(env(engine.host));
      facts.push(await factsOf(engine, server, freeSubnet()));
      await server.stop();
    }
  }, 180_000);

  test("have equal documents of V2, V3 and V4, but for what is listed", () => {
    expect(differences(facts)).toEqual(DIFFERENCES);
  });

  test("a member that ended has its code, 0 too, its end, and how often it was started again", () => {
    for (const each of facts) {
      const of = (name: string, field: string) => each.get(`v4 ${name} ${field}`);
      const ends = ["eq-done", "eq-failed", "eq-flaky"].map((name) => [
        ...["KnownStatus", "ExitCode", "FinishedAt", "RestartCount"].map((field) => of(name, field)),
      ]);
      expect(ends).toEqual([
        ["STOPPED", 0, "<time>", 0],
        ["STOPPED", 3, "<time>", undefined],
        ["STOPPED", 1, "<time>", 2],
      ]);
      expect([of("eq-queue", "RestartCount"), of("eq-queue", "ExitCode")]).toEqual([0, undefined]);
    }
  });

  test("a limit of CPUs is in units, given as CPUs, as shares or as a quota", () => {
    for (const each of facts) {
      const units = ["eq-web", "eq-db", "eq-quota", "eq-plain"].map((name) => each.get(`v4 ${name} Limits CPU`));
      expect(units).toEqual([512, 512, 512, 2]);
    }
  });

  test("the task of V4 lists what runs, what ended and what never ran, and V2's and V3's what runs", () => {
    const running = ["eq-db", "eq-oneoff", "eq-queue", "eq-unchecked", "eq-web"];
    for (const each of facts) {
      const members = (version: string) =>
        [...each].filter(([path]) => new RegExp(`^${version} task Containers \\d+ DockerName$`).test(path));
      expect(members("v2").map(([, name]) => name)).toEqual(running);
      expect(members("v3").map(([, name]) => name)).toEqual(running);
      const idle = ["eq-broken", "eq-done", "eq-failed", "eq-flaky", "eq-never"];
      expect(members("v4").map(([, name]) => name)).toEqual([...running, ...idle]);
      expect(each.get("v4 eq-never KnownStatus")).toBe("CREATED");
    }
  });

  test("every difference has its row in docs/engines.md, and every row its difference", () => {
    const text = readFileSync(join(import.meta.dir, "../../docs/engines.md"), "utf8");
    const section = /\n## Bodies\n(.*?)(\n## |$)/s.exec(text)?.[1] ?? "";
    const rows = [...section.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, names = ""]) => names.match(/\w+/g) ?? []);
    const fields = DIFFERENCES.map((line) => line.replace(/\W.*/, ""));
    // Ports are published below, where the engine can.
    expect(rows.sort()).toEqual([...new Set([...fields, "Ports"])].sort());
  });
});

describeEngines("published ports", ({ engine }) => {
  // Without its helper docker-proxy, which moby-29 is built without, an engine publishes nothing.
  const canPublish = engine.name !== "moby-29";
  const skipped = canPublish ? "" : " (skipped: this engine is built without docker-proxy)";
  let server: Awaited<ReturnType<typeof startBinary>>;

  describe.if(canPublish)(`of a container${skipped}`, () => {
    beforeAll(async () => {
      server = await startBinary(env(engine.host));
    });
    afterAll(() => server.stop());

    test("are in V4 with their addresses, and what is exposed only is not", async () => {
      const bound = (HostPort: string, HostIp = "") => [{ HostIp, HostPort }];
      const id = await engine.create("eq-ports", {
        ExposedPorts: { "80/tcp": {}, "53/udp": {}, "81/tcp": {}, "82/tcp": {} },
        HostConfig: {
          PortBindings: { "80/tcp": bound("20510"), "53/udp": bound("20511"), "81/tcp": bound("20512", "127.0.0.1") },
        },
      });
      await engine.start(id);
      const port = (ContainerPort: number, Protocol: string, HostPort: number, HostIp: string) => ({
        ...{ ContainerPort, Protocol, HostPort, HostIp },
      });
      const dual = (...[number, protocol, host]: [number, string, number]) =>
        // Podman publishes on IPv4 alone.
        (engine.name === "podman" ? ["0.0.0.0"] : ["0.0.0.0", "::"]).map((ip) => port(number, protocol, host, ip));
      await Bun.sleep(engine.name === "podman" ? 500 : 100);
      const { Ports } = (await (await server.get("/v4/containers/eq-ports")).json()) as { Ports: unknown };
      expect(Ports).toEqual([
        ...dual(53, "udp", 20_511),
        ...dual(80, "tcp", 20_510),
        port(81, "tcp", 20_512, "127.0.0.1"),
      ]);
    }, 30_000);
  });
});
