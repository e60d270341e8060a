import { expect, test } from "bun:test";
import { createOfflineSource } from "../../../src/aws/offline.ts";
import { parseRole } from "../../../src/credentials/role.ts";

test("dummy credentials have the shape of real ones, and an end", async () => {
  const source = createOfflineSource({ now: () => 5000 });
  const made = await source.assume(parseRole("team/app", "any"), "s");
  expect(made.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
  expect(made.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/);
  expect(made).toMatchObject({ expiration: 3_605_000, roleArn: "arn:aws:iam::111111111111:role/team/app" });
  expect(await source.session()).toMatchObject({ roleArn: "" });
});

test("the SDK is not loaded", async () => {
  const script = `await import(${JSON.stringify(`${import.meta.dir}/../../../src/aws/offline.ts`)});
    await import(${JSON.stringify(`${import.meta.dir}/../../../src/aws/lazy-source.ts`)});
    console.log(Object.keys(require.cache).filter((name) => /@aws-sdk|@smithy/.test(name)).length);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  expect((await child.stdout.text()).trim()).toBe("0");
});
