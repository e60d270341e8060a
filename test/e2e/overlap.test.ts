import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Answer, ask } from "../support/ask.ts";
import { describeEngines } from "../support/engines.ts";
import { buildServerImage, removeServerImage } from "../support/server-image.ts";

describeEngines("two macvlans of one subnet", ({ engine, freeSubnet }) => {
  const parents = ["a", "b"].map((end) => `eqm${process.pid}${end}`);
  const base = freeSubnet();
  const names = parents.map((parent) => `eq-${parent}`);
  const define = (index: number) =>
    engine.define({
      Name: names[index],
      Driver: "macvlan",
      // Without a way out, because a container takes no second one.
      Internal: true,
      Options: { parent: parents[index] },
      IPAM: { Config: [{ Subnet: `${base}.0/24`, Gateway: `${base}.1` }] },
    });

  const isRoot = process.getuid?.() === 0;
  const skipped = isRoot ? "" : " (skipped: who is not root makes no links)";

  // Each end of a cable can carry one; the kernel here has no links of the type dummy.
  beforeAll(() => {
    if (!isRoot) return;
    run("ip", "link", "add", parents[0] ?? "", "type", "veth", "peer", "name", parents[1] ?? "");
    for (const parent of parents) run("ip", "link", "set", parent, "up");
  });
  afterAll(async () => {
    await engine.cleanUp();
    if (isRoot) run("ip", "link", "del", parents[0] ?? "");
  }, 60_000);

  if (engine.name === "podman") {
    test.if(isRoot)(
      `a container is known by the one that ours is on, and nobody where ours is on both${skipped}`,
      async () => {
        await define(0);
        await define(1);
        const [ours, theirs] = names.map((name) => ({ name, gateway: `${base}.1` }));
        if (ours === undefined || theirs === undefined) throw new Error("there are two");
        const [address, server] = [`${base}.9`, `${base}.2`];
        const near = await engine.run({ name: "eq-near", network: ours, address });
        await engine.run({ name: "eq-far", network: theirs, address });
        const own = await engine.run({
          name: "eq-server",
          network: ours,
          address: server,
          image: await buildServerImage(engine),
          command: [],
          env: ["ECS_LOCAL_OFFLINE=1"],
          binds: [`${engine.socket}:/var/run/docker.sock`],
        });
        try {
          const asked = await untilAnswered(() => ask(engine, near, server, 80, "/v4"));
          expect(asked).toMatchObject({ status: 200, body: { DockerId: near } });
          await engine.connect(theirs, own);
          await Bun.sleep(1_000);
          const { status, body } = await ask(engine, near, server, 80, "/v4");
          expect(status, JSON.stringify(body)).toBe(404);
          expect(body).toContain(`The request came from ${address}`);
        } finally {
          await engine.remove(own);
          await removeServerImage(engine);
        }
      },
      60_000,
    );
  } else {
    test.if(isRoot)(`are not made by Docker: no address of its is two containers'${skipped}`, async () => {
      await define(0);
      await expect(define(1)).rejects.toThrow("Pool overlaps");
    });
  }
});

/** Asks until there is a server. */
async function untilAnswered(question: () => Promise<Answer>): Promise<Answer> {
  for (let turn = 0; turn < 40; turn += 1) {
    const answer = await question();
    if (answer.status !== 0) return answer;
    await Bun.sleep(100);
  }
  throw new Error("the server does not answer");
}

function run(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { timeout: 10_000 });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}
