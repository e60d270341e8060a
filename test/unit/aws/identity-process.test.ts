import { expect, test } from "bun:test";
import { createProcesses } from "../../../src/aws/identity-process.ts";

const keys = { accessKeyId: "a", secretAccessKey: "s" };

test("a credential_process that hangs is given up, and no second one is started beside it", async () => {
  const processes = createProcesses(30);
  const hanging = Promise.withResolvers<typeof keys>();
  let runs = 0;
  const ask = () =>
    processes("dev", "hang", () => {
      runs += 1;
      return hanging.promise;
    });
  const said = "profile 'dev': its credential_process did not end within 0.03 s";
  for (let asked = 0; asked < 3; asked += 1) expect(ask()).rejects.toThrow(said);
  await Bun.sleep(50);
  expect(ask()).rejects.toThrow(said);
  expect(runs).toBe(1);
  await processes("dev", "another command", async () => keys);
  hanging.resolve(keys);
  expect(await ask()).toEqual(keys);
  await Bun.sleep(1);
  await ask();
  expect(runs).toBe(2);
});
