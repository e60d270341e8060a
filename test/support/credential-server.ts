import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../src/app.ts";
import { createOnlineSource } from "../../src/aws/lazy-source.ts";
import type { CredentialSource } from "../../src/aws/types.ts";
import { parseConfig } from "../../src/config/config.ts";
import { readRoles } from "../../src/credentials/role-options.ts";
import { createVendor } from "../../src/credentials/vendor.ts";
import type { Log } from "../../src/log.ts";
import { type FakeAws, startFakeAws } from "./fake-aws.ts";
import { type FakeIdentity, startFakeIdentity } from "./fake-identity.ts";
import { note, noteAnswer, secretsOf, secretsOfFile } from "./secrets.ts";

export const KEYS = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "long-lived", HOME: "/nonexistent" };
export const ROLE_ARN = "arn:aws:iam::111122223333:role/team/app";

export interface Answer {
  readonly status: number;
  readonly body: Record<string, string>;
}

// From source it takes most of a second on a busy machine, which is all that a first request waits.
await import("../../src/aws/source.ts");

const cleanUps: (() => unknown)[] = [];

/** Ends what a test of credentials started, in the order of its start. */
export async function endAll(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
}

export function startFake(tls?: { readonly cert: string; readonly key: string }): FakeAws {
  const aws = startFakeAws(tls);
  cleanUps.push(aws.stop);
  return aws;
}

export function startIdentity(): FakeIdentity {
  const identity = startFakeIdentity();
  cleanUps.push(identity.stop);
  return identity;
}

/** The application without an engine, on a port of its own. Every caller is called shop-web-1. */
export function serve(source: CredentialSource, now: () => number, port = 0) {
  const lines: string[] = [];
  const write = (event: string, fields: object = {}) => void lines.push(note(`${event} ${JSON.stringify(fields)}`));
  const log: Log = { debug: write, info: write, warning: write, error: write, flush: () => {} };
  const vendor = createVendor({ source, now, log });
  const caller = { kind: "host", address: "127.0.0.1", name: "shop-web-1" } as const;
  const fetch = createApp({
    vendor,
    metadata: () => "{}",
    agentApi: { protection: () => "{}", protect: () => "{}", fault: () => "{}" },
    introspection: () => "{}",
    guard: { allowedHosts: [] },
    log,
    callers: { identify: () => caller, identifyNow: () => caller },
    addressOf: () => "127.0.0.1",
  });
  const server = Bun.serve({ port, hostname: "127.0.0.1", fetch });
  cleanUps.push(() => server.stop(true), vendor.close);
  const url = `http://127.0.0.1:${server.port}`;
  const get = async (path: string): Promise<Answer> => {
    const answer = await globalThis.fetch(url + path);
    const body = await answer.text();
    noteAnswer(answer.status, body);
    return { status: answer.status, body: JSON.parse(body) as Record<string, string> };
  };
  return { url, get, lines, port: server.port ?? 0 };
}

export function online(aws: FakeAws, env: Record<string, string>, now: () => number = Date.now, port = 0) {
  secretsOf(env);
  const config = { stsEndpoint: aws.url, iamEndpoint: aws.url, region: undefined, sharedTokenExpirationSeconds: 750 };
  return serve(createOnlineSource({ config, env, now }), now, port);
}

/** Asks until the source has answered: the SDK waits for up to a second before it tries again what was throttled. */
export async function settled(get: (path: string) => Promise<Answer>, path: string): Promise<Answer> {
  for (;;) {
    const answer = await get(path);
    if (!answer.body.message?.startsWith("still fetching")) return answer;
  }
}

/** Has `cleanUp` called at the test's end. */
export function atEnd(cleanUp: () => unknown): void {
  cleanUps.push(cleanUp);
}

/** The application as its environment has it, with what a start reads and parses. */
export function configured(env: Record<string, string>, now: () => number = Date.now) {
  secretsOf(env);
  const config = parseConfig(env);
  const roles = readRoles(config.rolesPath);
  return serve(createOnlineSource({ config: { ...config.aws, roles }, env, now }), now);
}

/** A home whose folder .aws has these files. */
export function home(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "credentials-"));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, ".aws"));
  for (const [name, text] of Object.entries(files)) {
    secretsOfFile(text);
    writeFileSync(join(folder, ".aws", name), text);
  }
  return folder;
}

/** Sets a variable of this process until the test's end, for what of the SDK reads no other. */
export function setVariable(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  cleanUps.push(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}
