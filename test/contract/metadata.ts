import { describe, expect, test } from "bun:test";
import { hexId } from "../support/containers.ts";
import { ORDERS, SHOP_DB, SHOP_JOB, SHOP_PROXY, SHOP_WEB } from "./machine.ts";
import { type Kind, metadataRoutes } from "./routes.ts";
import { expectText, jsonOf, type Subject } from "./subject.ts";

const TASK_ARN = "arn:aws:ecs:us-west-2:111111111111:task/ecs-local-cluster/37e873f6-37b4-42a7-af47-eac7275c6152";

const WEB_DOCUMENT =
  `{"DockerId":"${SHOP_WEB.id}","Name":"shop-web-1","DockerName":"shop-web-1",` +
  `"Image":"alpine:3.20","ImageID":"sha256:${hexId("image alpine:3.20")}",` +
  '"Ports":[{"ContainerPort":80,"Protocol":"tcp","HostPort":32768},{"ContainerPort":80,"Protocol":"tcp","HostPort":32768}],' +
  '"Labels":{"com.amazonaws.ecs.cluster":"ecs-local-cluster","com.amazonaws.ecs.container-name":"shop-web-1",' +
  `"com.amazonaws.ecs.task-arn":"${TASK_ARN}",` +
  '"com.amazonaws.ecs.task-definition-family":"esc-local-task-definition",' +
  '"com.amazonaws.ecs.task-definition-version":"1",' +
  '"com.docker.compose.project":"shop","com.docker.compose.service":"web"},' +
  '"DesiredStatus":"RUNNING","KnownStatus":"RUNNING","Limits":{"CPU":256,"Memory":128},' +
  '"CreatedAt":"2026-01-02T03:04:05.123456789Z","StartedAt":"2026-01-02T03:04:05.678901234Z","Type":"NORMAL",' +
  '"Networks":[{"NetworkMode":"shop_default","IPv4Addresses":["127.0.7.2"]}],' +
  '"Health":{"status":"HEALTHY","statusSince":"2026-01-02T03:04:12.4Z","output":"ok\\n"},' +
  '"Volumes":[{"DockerName":"shop-data","Source":"/volumes/shop-data","Destination":"/data"},' +
  '{"Source":"/srv/shop","Destination":"/srv"}]}';

const ORDERS_TASK =
  '{"Cluster":"staging","TaskARN":"arn:aws:ecs:eu-west-1:111122223333:task/staging/0f9de17a6465404e8b1b2356dc13c2f8",' +
  '"Family":"orders","Revision":"7","DesiredStatus":"RUNNING","KnownStatus":"RUNNING","Containers":[';

export function metadataContract({ ask }: Subject): void {
  const idsOfShop = [SHOP_DB.id, SHOP_PROXY.id, SHOP_WEB.id].sort();

  // biome-ignore lint/suspicious/noExplicitAny: the body's shape is what the test is about
  const expectKind: Record<Kind, (body: any) => void> = {
    container: ({ DockerId }) => expect(DockerId).toBe(SHOP_WEB.id),
    task: ({ Containers }) =>
      expect(Containers.map(({ DockerId }: { DockerId: string }) => DockerId).sort()).toEqual(idsOfShop),
    stats: ({ id, precpu_stats }) => {
      expect(id).toBe(SHOP_WEB.id);
      expect(precpu_stats.system_cpu_usage).toBePositive();
    },
    "task-stats": (body) => {
      expect(Object.keys(body).sort()).toEqual(idsOfShop);
      for (const [id, sample] of Object.entries(body)) expect(sample).toMatchObject({ id });
    },
  };

  describe("a metadata route", () => {
    for (const [path, kind] of metadataRoutes("web")) {
      for (const asked of [path, `${path}/`]) {
        test(`${asked} serves ${kind}`, async () => {
          const answer = await ask(SHOP_WEB.address, asked);
          expect(answer.status, answer.body).toBe(200);
          expectKind[kind](jsonOf(answer));
        });
      }
    }

    test("answers HEAD with the headers of GET and no body", async () => {
      for (const [path, kind] of metadataRoutes("web")) {
        const get = await ask(SHOP_WEB.address, path);
        const head = await ask(SHOP_WEB.address, path, { method: "HEAD" });
        expect([head.status, head.headers["content-type"], head.body], path).toEqual([200, "application/json", ""]);
        // A sample is another one a second later.
        if (kind === "container" || kind === "task") {
          expect(head.headers["content-length"], path).toBe(get.headers["content-length"] ?? "");
        }
      }
    });

    test("heeds no query", async () => {
      expect((await ask(SHOP_WEB.address, "/v3?id=missing&x=/../y")).body).toBe(WEB_DOCUMENT);
    });
  });

  test("a container's document is, byte for byte, the agent's", async () => {
    expect((await ask(SHOP_WEB.address, "/v3")).body).toBe(WEB_DOCUMENT);
    expect((await ask(SHOP_WEB.address, `/v2/metadata/${SHOP_WEB.id}`)).body).toBe(WEB_DOCUMENT);
  });

  test("a task's document is, byte for byte, the agent's, with its containers' documents in it", async () => {
    const container = await ask(ORDERS.address, "/v3");
    expect((await ask(ORDERS.address, "/v3/task")).body).toBe(
      `${ORDERS_TASK}${container.body}],"AvailabilityZone":"eu-west-1a"}`,
    );
  });

  test("a container that ECS labels describe has its name of the task definition", async () => {
    expect(jsonOf(await ask(ORDERS.address, "/v3"))).toMatchObject({ Name: "api", DockerName: "orders" });
  });

  test("a container without limits, ports, health check and volumes has only the limits' keys", async () => {
    const document = jsonOf(await ask(SHOP_DB.address, "/v3"));
    expect(document.Limits).toEqual({ CPU: 2, Memory: 0 });
    for (const key of ["Ports", "Health", "Volumes", "ExitCode", "FinishedAt"])
      expect(document).not.toHaveProperty(key);
  });

  test("an exited container is answered by name with its exit code, and its stats are an error", async () => {
    const document = jsonOf(await ask(SHOP_WEB.address, "/v3/containers/shop-job-1"));
    expect(document).toMatchObject({
      DockerId: SHOP_JOB.id,
      KnownStatus: "STOPPED",
      DesiredStatus: "STOPPED",
      ExitCode: 3,
    });
    const stats = await ask(SHOP_WEB.address, "/v3/containers/shop-job-1/stats");
    expect(expectText(stats, 400)).toContain(SHOP_JOB.id);
  });

  test("counters of 64 bits have the engine's digits, in a container's stats and in a task's", async () => {
    for (const path of ["/v3/stats", "/v3/task/stats", "/v2/stats"]) {
      const { body } = await ask(SHOP_WEB.address, path);
      expect(body, path).toContain('"limit":18446744073709551615}');
      expect(body, path).toContain('"limit":9223372036854771712}');
      // The fake counts up by one from 2^53 + 1, so that a number of JavaScript would lose every other sample.
      const [now = 0n, before = 0n] = [...body.matchAll(/"total_usage":(\d+)/g)].map(([, digits = ""]) =>
        BigInt(digits),
      );
      expect(now - before, path).toBe(1n);
    }
  });
}
