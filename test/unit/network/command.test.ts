import { afterEach, expect, test } from "bun:test";
import { readNetworkState } from "../../../src/commands/doctor/rules.ts";
import { network } from "../../../src/network/command.ts";
import { refuseUnsure } from "../../../src/network/down.ts";
import { statusText } from "../../../src/network/status.ts";

const docker = { host: undefined, apiVersion: undefined, certPath: undefined, tlsVerify: false };
const deps = { docker, env: {}, program: ["/bin/ecs"], out: () => {}, err: () => {} };

const { platform } = process;
afterEach(() => void Object.defineProperty(process, "platform", { value: platform }));

for (const action of ["up", "down", "status"] as const) {
  test(`network ${action} on what is not Linux is one sentence that says what to do instead`, async () => {
    Object.defineProperty(process, "platform", { value: "darwin" });
    await expect(network({ action }, deps)).rejects.toThrow(
      expect.objectContaining({
        code: "network-failed",
        message: `network ${action} makes rules of Linux, and this is darwin`,
        hint: expect.stringContaining("container at 169.254.170.2"),
      }) as Error,
    );
  });
}

test("no unit is printed for a name that no bridge has, which would fail at each start", async () => {
  const said: string[] = [];
  const out = (lines: string) => void said.push(lines);
  await expect(network({ action: "up", printUnit: true, bridge: ["br+"] }, { ...deps, out })).rejects.toThrow(
    expect.objectContaining({ code: "bad-configuration", message: expect.stringContaining("'br+'") }) as Error,
  );
  expect(said).toEqual([]);
});

test("what closes a bridge is to a shell the bridge's name, whatever that is", () => {
  expect(() => refuseUnsure(["$(x)", "br-a"])).toThrow(
    expect.objectContaining({
      hint: "close it with sysctl -w 'net.ipv4.conf.$(x).route_localnet=0'; sysctl -w net.ipv4.conf.br-a.route_localnet=0, or have it stay open with network up --bridge '$(x)' --bridge br-a; then run this again",
    }) as Error,
  );
  const lines = [{ what: "all", stands: false }];
  expect(statusText(lines, [], ["--bridge", "$(x)"])).toEndWith("run network up --bridge '$(x)'\n");
});

const isUp = readNetworkState() !== undefined;
test.skipIf(platform !== "linux" || isUp)(
  "network down --print where up never ran says so, and asks no engine",
  async () => {
    const said = { out: "", err: "" };
    const out = (lines: string) => {
      said.out += lines;
    };
    const err = (lines: string) => {
      said.err += lines;
    };
    const nowhere = { ...docker, host: "unix:///nowhere/engine.sock" };
    const env = { PATH: process.env.PATH };
    expect(await network({ action: "down", print: true }, { ...deps, env, docker: nowhere, out, err })).toBe(0);
    const unseen = "no state file names anything; what stands is shown to root only: run it with sudo";
    const note = process.geteuid?.() === 0 ? "nothing of network up stands" : unseen;
    expect(said).toEqual({ out: "", err: `note: ${note}\n` });
  },
);
