import { describe, expect, test } from "bun:test";
import { BLOG_CACHE, BLOG_WEB, HOST, NEWSFEED, ORDERS, SHOP_DB, SHOP_PROXY, SHOP_WEB } from "./machine.ts";
import { jsonOf, type Subject } from "./subject.ts";

const DEFAULT_ARN = "arn:aws:ecs:us-west-2:111111111111:task/ecs-local-cluster/37e873f6-37b4-42a7-af47-eac7275c6152";
const ORDERS_ARN = "arn:aws:ecs:eu-west-1:111122223333:task/staging/0f9de17a6465404e8b1b2356dc13c2f8";

export function introspectionContract({ ask }: Subject): void {
  describe("introspection", () => {
    test("lists what it has, where Datadog looks first", async () => {
      const answer = await ask(ORDERS.address, "/");
      expect([answer.status, answer.body]).toEqual([200, '{"AvailableCommands":["/v1/metadata","/v1/tasks"]}']);
    });

    test("tells the instance, in strings that Fluent Bit can take apart", async () => {
      for (const path of ["/v1/metadata", "/v1/metadata/"]) {
        const answer = await ask(ORDERS.address, path);
        expect(Object.keys(jsonOf(answer))).toEqual(["Cluster", "ContainerInstanceArn", "Version"]);
        const { Cluster, ContainerInstanceArn, Version } = jsonOf(answer);
        expect(Cluster).toBe("ecs-local-cluster");
        expect(ContainerInstanceArn).toMatch(
          /^arn:aws:ecs:us-west-2:111111111111:container-instance\/ecs-local-cluster\/[0-9a-f]{32}$/,
        );
        expect(Version).toMatch(/^Amazon ECS Agent - v\d+\.\d+\.\d+ \(.+\)$/);
      }
    });

    test("tells a container's task by its id, whole or short, without what only later versions have", async () => {
      const answers = await Promise.all(
        [ORDERS.id, ORDERS.id.slice(0, 12)].map((id) => ask(NEWSFEED.address, `/v1/tasks?dockerid=${id}`)),
      );
      for (const answer of answers) {
        const { Containers, ...task } = jsonOf(answer);
        expect(JSON.stringify(task)).toBe(
          `{"Arn":"${ORDERS_ARN}","DesiredStatus":"RUNNING","KnownStatus":"RUNNING","Family":"orders","Version":"7"}`,
        );
        expect(Containers).toHaveLength(1);
        expect(Object.keys(Containers[0])).toEqual([
          "DockerId",
          "DockerName",
          "Name",
          "Image",
          "ImageID",
          "CreatedAt",
          "StartedAt",
        ]);
        expect(Containers[0]).toMatchObject({ DockerId: ORDERS.id, DockerName: "orders", Name: "api" });
      }
      expect(jsonOf(await ask(HOST, `/v1/tasks?taskarn=${ORDERS_ARN}`)).Arn).toBe(ORDERS_ARN);
    });

    test("has each container in one task, with its ports and volumes", async () => {
      const { Tasks } = jsonOf(await ask(NEWSFEED.address, "/v1/tasks"));
      const ids = Tasks.map(({ Containers }: { Containers: { DockerId: string }[] }) =>
        Containers.map(({ DockerId }) => DockerId).sort(),
      );
      const expected = [[ORDERS], [NEWSFEED], [BLOG_CACHE, BLOG_WEB], [SHOP_DB, SHOP_PROXY, SHOP_WEB]];
      expect(ids.sort()).toEqual(expected.map((members) => members.map(({ id }) => id).sort()).sort());
      const { Containers } = jsonOf(await ask(HOST, `/v1/tasks?dockerid=${SHOP_WEB.id}`));
      const web = Containers.find(({ DockerId }: { DockerId: string }) => DockerId === SHOP_WEB.id);
      // One of IPv4 and one of IPv6, which V4 tells apart by the host's address.
      const port = { ContainerPort: 80, Protocol: "tcp", HostPort: 32768 };
      expect(web.Ports).toEqual([port, port]);
      expect(web.Volumes).toHaveLength(2);
    });

    for (const [query, status, text] of [
      ["dockerid=0123456789ab", 404, "0123456789ab"],
      [`dockerid=${"0".repeat(64)}`, 404, "/v1/tasks"],
      [`dockerid=${SHOP_WEB.id.slice(0, 13)}`, 404, "id"],
      ["dockerid=", 400, "several|tasks"],
      ["dockerid=x&taskarn=y", 400, "both"],
      ["taskarn=arn:none", 404, "arn:none"],
      [`taskarn=${DEFAULT_ARN}`, 400, "dockerid"],
    ] as const) {
      test(`of ${query} is ${status} with the agent's task of nothing, and the reason`, async () => {
        const answer = await ask(HOST, `/v1/tasks?${query}`);
        expect(answer.status).toBe(status);
        const { Message, ...nothing } = jsonOf(answer);
        expect(JSON.stringify(nothing)).toBe('{"Arn":"","KnownStatus":"","Family":"","Version":"","Containers":null}');
        expect(Message).toMatch(new RegExp(text));
      });
    }

    test("is read only, behind the guard, and has nothing else", async () => {
      for (const path of ["/", "/v1/metadata", "/v1/tasks"]) {
        expect((await ask(HOST, path, { method: "POST" })).status, path).toBe(405);
        expect((await ask(HOST, path, { headers: { Origin: "null" } })).status, path).toBe(403);
      }
      expect((await ask(HOST, "/v1/credentials?id=x")).status).toBe(404);
    });
  });
}
