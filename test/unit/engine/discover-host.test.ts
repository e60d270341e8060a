import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHost } from "../../../src/engine/discover.ts";

const root = mkdtempSync(join(tmpdir(), "discover-host-"));
afterAll(() => rmSync(root, { recursive: true }));

/** The folder of a file in it. */
function file(path: string, text: string): string {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
  return join(root, path, "..");
}

describe("DOCKER_HOST", () => {
  const plain = { certPath: undefined, tlsVerify: false };
  const certPath = file("certs/ca.pem", "CA");
  file("certs/cert.pem", "CERT");
  file("certs/key.pem", "KEY");
  const pem = { ca: "CA", cert: "CERT", key: "KEY" };
  for (const [host, docker, target, base] of [
    ["tcp://127.0.0.1", plain, "tcp://127.0.0.1:2375", "http://127.0.0.1:2375"],
    ["tcp://10.0.0.5:4243", plain, "tcp://10.0.0.5:4243", "http://10.0.0.5:4243"],
    ["http://docker.lan:2375", plain, "tcp://docker.lan:2375", "http://docker.lan:2375"],
    ["tcp://[::1]:2375/", plain, "tcp://[::1]:2375", "http://[::1]:2375"],
    ["tcp://10.0.0.5", { ...plain, tlsVerify: true }, "tcp://10.0.0.5:2376", "https://10.0.0.5:2376"],
    ["tcp://10.0.0.5:2375", { ...plain, tlsVerify: true }, "tcp://10.0.0.5:2375", "https://10.0.0.5:2375"],
    ["tcp://10.0.0.5:80", plain, "tcp://10.0.0.5:80", "http://10.0.0.5:80"],
    ["http://docker.lan:80/", plain, "tcp://docker.lan:80", "http://docker.lan:80"],
    ["tcp://[::1]:80", plain, "tcp://[::1]:80", "http://[::1]:80"],
    ["tcp://[::1]", plain, "tcp://[::1]:2375", "http://[::1]:2375"],
    ["tcp://10.0.0.5:443", { ...plain, tlsVerify: true }, "tcp://10.0.0.5:443", "https://10.0.0.5:443"],
    ["tcp://10.0.0.5:80", { ...plain, tlsVerify: true }, "tcp://10.0.0.5:80", "https://10.0.0.5:80"],
    ["tcp://10.0.0.5:4243/v1.47", plain, "tcp://10.0.0.5:4243", "http://10.0.0.5:4243"],
    ["tcp://10.0.0.5:4243?x", plain, "tcp://10.0.0.5:4243", "http://10.0.0.5:4243"],
    ["tcp://10.0.0.5/a:99", plain, "tcp://10.0.0.5:2375", "http://10.0.0.5:2375"],
    ["https://10.0.0.5:443", plain, "tcp://10.0.0.5:443", "https://10.0.0.5:443"],
    ["https://10.0.0.5", plain, "tcp://10.0.0.5:2376", "https://10.0.0.5:2376"],
    ["tcp://10.0.0.5", { ...plain, certPath }, "tcp://10.0.0.5:2376", "https://10.0.0.5:2376"],
  ] as const) {
    test(`${host} is ${base}, past any proxy`, () => {
      const tls = docker.certPath ? { tls: pem } : {};
      expect<unknown>(parseHost(host, docker, "DOCKER_HOST")).toEqual({ target, base, init: { proxy: false, ...tls } });
    });
  }
  for (const host of ["unix:///run/x.sock", "/run/x.sock"]) {
    test(`${host} is a socket, whatever the certificates`, () => {
      const endpoint = { target: "unix:///run/x.sock", base: "http://docker", init: { unix: "/run/x.sock" } };
      expect(parseHost(host, plain, "DOCKER_HOST")).toEqual(endpoint);
      expect(parseHost(host, { certPath: "/none", tlsVerify: true }, "DOCKER_HOST")).toEqual(endpoint);
    });
  }
  for (const host of [
    "ssh://host",
    "npipe:////./pipe/docker_engine",
    "fd://",
    "docker.sock",
    "tcp:",
    "tcp:10.0.0.5:2375",
    "tcp://",
    "ftp://h",
    "h:2375",
    "unix://",
    "unix://run/x.sock",
    "",
  ]) {
    test(`${host || "an empty one"} is refused with its value, and where that stands`, () => {
      for (const source of ["DOCKER_HOST", "The endpoint"]) {
        const message = `${source} is '${host}', which is neither unix:///path nor tcp://host:port`;
        const refusal = { code: "bad-configuration", message, hint: "set DOCKER_HOST to one of those" };
        expect(() => parseHost(host, plain, source)).toThrow(expect.objectContaining(refusal));
      }
    });
  }
  for (const [at, [host, said]] of (
    [
      ["ssh://me:hunter2@host", "ssh://***@host"],
      ["tcp//me:hunter2@host", "***@host"],
      ["tcp://me:hunter2/@host", "tcp://***@host"],
      ["me:hunter2@host", "***@host"],
    ] as const
  ).entries()) {
    test(`${said} is what is said of one that is refused (${at})`, () => {
      expect(() => parseHost(host, plain, "DOCKER_HOST")).toThrow(`DOCKER_HOST is '${said}', which is neither`);
    });
  }
  test("has no user and password in what is said of it", () => {
    expect(parseHost("tcp://me:hunter2@10.0.0.5:2375", plain, "DOCKER_HOST").target).toBe("tcp://10.0.0.5:2375");
  });
  for (const [title, path] of [
    ["that is not there", "/nowhere"],
    ["that lacks a file", file("half/ca.pem", "CA")],
  ] as const) {
    test(`with a DOCKER_CERT_PATH ${title} is refused with the folder`, () => {
      const message = `DOCKER_CERT_PATH is '${path}', where ca.pem, cert.pem and key.pem cannot be read`;
      expect(() => parseHost("tcp://10.0.0.5", { certPath: path, tlsVerify: true }, "DOCKER_HOST")).toThrow(
        expect.objectContaining({ code: "bad-configuration", message }),
      );
    });
  }
});
