import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeTurn } from "../../../src/network/lock.ts";

const root = mkdtempSync(join(tmpdir(), "lock-"));
afterAll(() => rmSync(root, { recursive: true }));
const isBusy = expect.objectContaining({ message: "another network command of this program is running" }) as Error;

/** Another process that has taken its turn. */
async function holder(path: string) {
  const source = `const { takeTurn } = await import(${JSON.stringify(join(import.meta.dir, "../../../src/network/lock.ts"))});
    await takeTurn(${JSON.stringify(path)}); console.log("held"); await Bun.sleep(60_000);`;
  const child = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("held\n");
  return child;
}

describe("a turn", () => {
  test("is one's at a time, and the next one waits for it", async () => {
    const path = join(root, "one/lock");
    const done = await takeTurn(path, 1_000);
    await expect(takeTurn(path, 120)).rejects.toThrow(isBusy);
    const next = takeTurn(path, 5_000);
    done();
    (await next)();
  });

  test("of another process keeps us out, and is over when that is killed", async () => {
    const path = join(root, "two/lock");
    const child = await holder(path);
    await expect(takeTurn(path, 120)).rejects.toThrow(isBusy);
    child.kill("SIGKILL");
    await child.exited;
    (await takeTurn(path, 0))();
  }, 20_000);

  test("is taken by who may open the file, which nobody else may", async () => {
    const path = join(root, "three/lock");
    (await takeTurn(path))();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).size).toBe(0);
  });

  for (const [title, make] of [
    ["a file", (path: string) => writeFileSync(path, "something else than an empty file")],
    ["a folder", mkdirSync],
  ] as const) {
    test(`at ${title} that is not ours is an error that names it`, async () => {
      const path = join(root, title, "lock");
      mkdirSync(join(root, title), { mode: 0o755 });
      make(path);
      await expect(takeTurn(path, 120)).rejects.toThrow(
        expect.objectContaining({ code: "network-failed", hint: `remove ${path}` }) as Error,
      );
    });
  }
});
