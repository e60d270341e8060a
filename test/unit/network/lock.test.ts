import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquireLock } from "../../../src/network/lock.ts";

const root = mkdtempSync(join(tmpdir(), "lock-"));
afterAll(() => rmSync(root, { recursive: true }));
const isBusy = expect.objectContaining({ message: "another network command of this program is running" }) as Error;

/** Another process that holds the lock. */
async function holder(path: string) {
  const source = `const { acquireLock } = await import(${JSON.stringify(join(import.meta.dir, "../../../src/network/lock.ts"))});
    await acquireLock(${JSON.stringify(path)}); console.log("held"); await Bun.sleep(60_000);`;
  const child = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("held\n");
  return child;
}

describe("the lock", () => {
  test("is held by one, and the next one waits for it", async () => {
    const path = join(root, "one/lock");
    const done = await acquireLock(path, 1_000);
    await expect(acquireLock(path, 120)).rejects.toThrow(isBusy);
    const next = acquireLock(path, 5_000);
    done();
    (await next)();
  });

  test("of another process ends when that is killed", async () => {
    const path = join(root, "two/lock");
    const child = await holder(path);
    await expect(acquireLock(path, 120)).rejects.toThrow(isBusy);
    child.kill("SIGKILL");
    await child.exited;
    (await acquireLock(path, 0))();
  }, 20_000);

  test("is a file that only its owner can open", async () => {
    const path = join(root, "three/lock");
    (await acquireLock(path))();
    expect(statSync(path)).toMatchObject({ size: 0 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
