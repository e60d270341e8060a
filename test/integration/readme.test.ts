import { expect, test } from "bun:test";
import { join } from "node:path";
import { eventually } from "../support/app.ts";
import { container } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { freePort } from "../support/free-port.ts";

const ROOT = join(import.meta.dir, "../..");
/** Times differ from run to run, and so does the port here. */
const withoutTimes = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");

test("README.md shows what its commands print", async () => {
  const readme = await Bun.file(join(ROOT, "README.md")).text();
  const section = readme.slice(readme.indexOf("## Try it"), readme.indexOf("## Install"));
  const shown = [...section.matchAll(/^ {4}\$ (.*)\n {4}(?!\$)(.*)$/gm)].map(([, command = "", output = ""]) => ({
    command,
    output: withoutTimes(output),
  }));
  const [start, ...requests] = shown;
  const port = String(freePort());
  const engine = startFakeEngine({ containers: [container({ name: "web", image: "busybox" })] });
  const server = Bun.spawn(["bash", "-c", `exec ${start?.command}`], {
    cwd: ROOT,
    env: { ...process.env, ECS_LOCAL_METADATA_PORT: port, DOCKER_HOST: engine.host },
    stdout: "ignore",
    stderr: "pipe",
  });
  let log = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of server.stderr) log += decoder.decode(chunk, { stream: true });
  })();
  try {
    await eventually(() => log.includes(" listening "), 10_000);
    expect(withoutTimes(log).replaceAll(port, "51679").split("\n")).toContain(start?.output ?? "");
    expect(requests).toHaveLength(3);
    for (const { command, output } of requests) {
      const [, path, fields] =
        /^curl -s http:\/\/127\.0\.0\.1:51679(\S+)(?: \| jq -c '\{(.+)\}')?$/.exec(command) ?? [];
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      const body = (await response.json()) as Record<string, unknown>;
      const printed = fields ? Object.fromEntries(fields.split(", ").map((field) => [field, body[field]])) : body;
      expect(withoutTimes(JSON.stringify(printed))).toBe(output);
    }
  } finally {
    server.kill();
    await Promise.all([server.exited, reading]);
    await engine.stop();
  }
});
