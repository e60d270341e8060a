import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DockerConfig } from "../../../src/config/config.ts";
import { discover } from "../../../src/engine/discover.ts";

const NO_CONFIG: DockerConfig = { host: undefined, apiVersion: undefined, certPath: undefined, tlsVerify: false };
const root = mkdtempSync(join(tmpdir(), "discover-"));
afterAll(() => rmSync(root, { recursive: true }));

/** The folder of a file in it. */
function file(path: string, text: string): string {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
  return join(root, path, "..");
}

/** A DOCKER_CONFIG folder as the docker command writes it. */
function dockerConfig(name: string, current: object | string, contexts: Record<string, string | object> = {}): string {
  for (const [context, host] of Object.entries(contexts)) {
    const folder = createHash("sha256").update(context).digest("hex");
    const meta = typeof host === "string" ? { Name: context, Endpoints: { docker: { Host: host } } } : host;
    file(`${name}/contexts/meta/${folder}/meta.json`, JSON.stringify(meta));
  }
  return file(`${name}/config.json`, typeof current === "string" ? current : JSON.stringify(current));
}

describe("the usual sockets", () => {
  const env = { HOME: "/users/me", XDG_RUNTIME_DIR: "/run/user/7" };
  const inOrder = [
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/users/me/.docker/run/docker.sock",
    "/users/me/.docker/desktop/docker.sock",
    "/run/user/7/docker.sock",
    "/run/podman/podman.sock",
    "/run/user/7/podman/podman.sock",
    "/users/me/.colima/default/docker.sock",
    "/users/me/.orbstack/run/docker.sock",
  ];
  for (const [index, path] of inOrder.entries()) {
    test(`${path} is found where those before it are not`, () => {
      const rest = inOrder.slice(index);
      expect(discover(NO_CONFIG, env, (asked) => rest.includes(asked))).toEqual({
        target: `unix://${path}`,
        base: "http://docker",
        init: { unix: path },
      });
    });
  }
  test("are passed over where we may not ask, as root's engine beside a rootless one", () => {
    const all = () => true;
    expect(discover(NO_CONFIG, env, all, (path) => path.startsWith("/run/user/7/podman")).target).toBe(
      "unix:///run/user/7/podman/podman.sock",
    );
    expect(discover(NO_CONFIG, env, all, () => false).target).toBe("unix:///var/run/docker.sock");
  });
  test("are listed, in their order, where none is there", () => {
    const tried = inOrder.map((path) => `unix://${path}`).join(", ");
    const message = `No container engine was found; tried ${tried}`;
    expect(() => discover(NO_CONFIG, env, () => false)).toThrow(
      expect.objectContaining({ code: "engine-unavailable", message }),
    );
  });
  test("are those of the user's id without a runtime folder, and none of a home without one", () => {
    const uid = process.getuid?.();
    expect(() => discover(NO_CONFIG, {}, () => false)).toThrow(
      `tried unix:///var/run/docker.sock, unix:///run/docker.sock, unix:///run/user/${uid}/docker.sock, ` +
        `unix:///run/podman/podman.sock, unix:///run/user/${uid}/podman/podman.sock`,
    );
  });
});

describe("the docker command's context", () => {
  const desktop = { desktop: "unix:///desktop.sock", far: "tcp://10.0.0.5" };
  const config = dockerConfig("two", { currentContext: "desktop" }, desktop);
  const all = () => true;
  for (const [title, env, target] of [
    ["is the current one of DOCKER_CONFIG", { DOCKER_CONFIG: config }, "unix:///desktop.sock"],
    [
      "is DOCKER_CONTEXT before the current one",
      { DOCKER_CONFIG: config, DOCKER_CONTEXT: "far" },
      "tcp://10.0.0.5:2375",
    ],
    [
      "is the current one where DOCKER_CONTEXT is empty",
      { DOCKER_CONFIG: config, DOCKER_CONTEXT: "" },
      "unix:///desktop.sock",
    ],
    [
      "that is the default one means the usual sockets",
      { DOCKER_CONFIG: config, DOCKER_CONTEXT: "default" },
      "unix:///var/run/docker.sock",
    ],
    [
      "is read in the user's home",
      { HOME: join(dockerConfig("home/.docker", { currentContext: "c" }, { c: "unix:///c.sock" }), "..") },
      "unix:///c.sock",
    ],
    ["without files means the usual sockets", { DOCKER_CONFIG: join(root, "none") }, "unix:///var/run/docker.sock"],
    [
      "in a file that is not JSON means the usual sockets",
      { DOCKER_CONFIG: dockerConfig("bad", "{") },
      "unix:///var/run/docker.sock",
    ],
    [
      "in a file that is null means the usual sockets",
      { DOCKER_CONFIG: dockerConfig("null", "null") },
      "unix:///var/run/docker.sock",
    ],
    [
      "that is empty means the usual sockets",
      { DOCKER_CONFIG: dockerConfig("empty", {}) },
      "unix:///var/run/docker.sock",
    ],
  ] as const) {
    test(title, () => expect(discover(NO_CONFIG, env, all).target).toBe(target));
  }
  for (const [title, env, name] of [
    ["that does not exist", { DOCKER_CONFIG: config, DOCKER_CONTEXT: "gone" }, "gone"],
    [
      "without an endpoint",
      { DOCKER_CONFIG: dockerConfig("k", { currentContext: "k" }, { k: { Endpoints: {} } }) },
      "k",
    ],
  ] as const) {
    test(`${title} is an error with its name, and no other engine`, () => {
      const message = expect.stringContaining(`The Docker context '${name}' has no endpoint in ${env.DOCKER_CONFIG}`);
      const error = expect.objectContaining({ code: "bad-configuration", message });
      expect(() => discover(NO_CONFIG, env, all)).toThrow(error);
    });
  }
  test("comes after DOCKER_HOST", () => {
    const docker = { ...NO_CONFIG, host: "unix:///own.sock" };
    expect(discover(docker, { DOCKER_CONFIG: config }, all).target).toBe("unix:///own.sock");
  });
  test("and DOCKER_HOST are each named where they are none that can be asked", () => {
    const far = { DOCKER_CONFIG: dockerConfig("ssh", { currentContext: "far" }, { far: "ssh://me@host" }) };
    const told = "which is neither unix:///path nor tcp://host:port";
    expect(() => discover(NO_CONFIG, far, all)).toThrow(
      expect.objectContaining({
        code: "bad-configuration",
        message: `The endpoint of the current Docker context is 'ssh://***@host', ${told}`,
      }),
    );
    expect(() => discover({ ...NO_CONFIG, host: "ssh://me@own" }, far, all)).toThrow(
      expect.objectContaining({ code: "bad-configuration", message: `DOCKER_HOST is 'ssh://***@own', ${told}` }),
    );
  });
  test("and DOCKER_HOST are taken as they are, there or not", () => {
    expect(discover(NO_CONFIG, { DOCKER_CONFIG: config }, () => false).target).toBe("unix:///desktop.sock");
    expect(discover({ ...NO_CONFIG, host: "/own.sock" }, {}, () => false).target).toBe("unix:///own.sock");
  });
});
