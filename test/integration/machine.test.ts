import { afterEach, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { container } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";

// What the engine says of its machine are the limits that V4 gives a task without any.
let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
afterEach(async () => {
  app.stop();
  await engine.stop();
});

const limits = async () => (await app.ask("/v4/containers/web/task")).json.Limits;

test("the first answer has the limits of the machine", async () => {
  engine = startFakeEngine({ containers: [container({ name: "web" })] });
  app = startApp(engine.host);
  expect(await limits()).toEqual({ CPU: 4, Memory: 8192 });
});

test("an engine that does not say them keeps no answer for long, is asked again, and the log has the remedy", async () => {
  engine = startFakeEngine({ containers: [container({ name: "web" })] });
  engine.faults.garbage = (path) => path === "/info";
  app = startApp(engine.host);
  const begin = performance.now();
  expect(await limits()).toBeUndefined();
  expect(performance.now() - begin).toBeLessThan(900);
  app.flush();
  expect(app.lines.join("")).toContain("set TASK_CPU and TASK_MEMORY");
  engine.faults.garbage = () => false;
  await eventually(async () => (await limits()) !== undefined, 6_000);
}, 10_000);
