import { expect } from "bun:test";
import type { startFakeEngine } from "../support/fake-engine.ts";
import type { Connection, RawAnswer, RawRequest } from "../support/raw-http.ts";

/** What the contract is about: a server, and the engine that it watches. */
export interface Subject {
  /** Asks over a connection of its own, from one of this machine's addresses. */
  readonly ask: (from: string, path: string, options?: Omit<RawRequest, "path">) => Promise<RawAnswer>;
  readonly connect: (from: string) => Promise<Connection>;
  readonly engine: () => ReturnType<typeof startFakeEngine>;
}

/** The value of an answer. Its type must be JSON's and nothing more: the Go SDK compares the whole header. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever was answered
export function jsonOf(answer: RawAnswer): any {
  expect(answer.headers["content-type"]).toBe("application/json");
  return JSON.parse(answer.body);
}

/** The text of a metadata error, which is a bare JSON string. */
export function expectText(answer: RawAnswer, status: number): string {
  expect(answer.status, answer.body).toBe(status);
  const text = jsonOf(answer);
  expect(text).toBeString();
  expect(answer.body).toBe(JSON.stringify(text));
  return text;
}

/** The text of a credentials error: an object with the spellings of all SDKs, in the agent's order and ours behind it. */
export function expectErrorObject(answer: RawAnswer, status: number): string {
  expect(answer.status, answer.body).toBe(status);
  const { code, message } = jsonOf(answer);
  expect([code, message]).toEqual([expect.stringMatching(/^[A-Z]\w+$/), expect.stringMatching(/./)]);
  expect(answer.body).toBe(JSON.stringify({ code, message, HTTPErrorCode: status, Code: code, Message: message }));
  return message;
}

/** The text of an error, in the form of its path's family. */
export function expectError(answer: RawAnswer, path: string, status: number): string {
  const isMetadata = /^\/v[23]\b/.test(path) && !path.startsWith("/v2/credentials");
  return (isMetadata ? expectText : expectErrorObject)(answer, status);
}

/** The text of an error of task protection, in the agent's order of keys. */
export function expectAgentError(answer: RawAnswer, status: number, code: string): string {
  expect(answer.status, answer.body).toBe(status);
  const { error, ...more } = jsonOf(answer);
  expect(more).toEqual({});
  const { Arn, Code, Message } = error;
  expect(answer.body).toBe(JSON.stringify({ error: { Arn, Code: code, Message } }));
  expect(Code).toBe(code);
  return Message;
}
