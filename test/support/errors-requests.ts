import { expect } from "bun:test";
import type { Environment } from "../../src/config/config.ts";
import { startApp } from "./app.ts";
import type { ContainerDocument } from "./containers.ts";
import { expectText, type Row } from "./errors-table.ts";
import { startFakeEngine } from "./fake-engine.ts";
import { type folder, folder as makeFolder } from "./folder.ts";
import { machine } from "./guarded-machine.ts";
import type { NetworkDocument } from "./networks.ts";

export interface Answered {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever was answered
  readonly json: any;
}

/** What is asked, on the machine of guarded-machine.ts unless another is given. */
export interface Asked {
  /** One path, or one for each status of the row. */
  readonly paths?: readonly string[];
  readonly from?: string;
  readonly init?: RequestInit;
  readonly env?: Environment;
  /** Task definitions, by the name of their file. */
  readonly definitions?: Readonly<Record<string, object>>;
  /** Of the service `web`. */
  readonly labels?: Record<string, string>;
  readonly machine?: { readonly containers: ContainerDocument[]; readonly networks?: NetworkDocument[] };
  readonly rootless?: boolean;
}

/** Asks the application, which asks who may ask, and gives the answer to each path. */
export async function answersTo(asked: Asked): Promise<readonly Answered[]> {
  const { paths = ["/creds"], from = "127.0.0.1", init = {}, rootless = false } = asked;
  const engine = startFakeEngine({ ...(asked.machine ?? machine(asked.labels)), rootless });
  const files = makeFolder("errors");
  const app = startApp(engine.host, { env: { ...asked.env, ...definitionsOf(files, asked) }, guarded: {} });
  try {
    await app.inventory.ready();
    const answers: Answered[] = [];
    for (const path of paths) answers.push(await app.ask(path, from, init));
    return answers;
  } finally {
    app.stop();
    await engine.stop();
    files.remove();
  }
}

function definitionsOf({ write }: ReturnType<typeof folder>, { definitions = {} }: Asked): Environment {
  const written = Object.entries(definitions).map(([name, definition]) => write(name, definition));
  if (written.length === 0) return {};
  return { ECS_LOCAL_TASK_DEFINITION: written.join(","), ECS_LOCAL_USE_TASK_ROLE: "1" };
}

/** Holds answers against a row: each in the form that its path has. */
export function expectRow(row: Row, answers: readonly Answered[]): void {
  expect(answers.map(({ status }) => status)).toEqual([...row.statuses]);
  for (const { text, json } of answers) {
    const { message, code } = readAnswer(text, json);
    expectText(row, message);
    if (code !== undefined && row.code !== undefined) expect(code).toBe(row.code);
  }
}

/** The text of an error, whatever the form, without what stands before it below `/api`. */
// biome-ignore lint/suspicious/noExplicitAny: as above
function readAnswer(text: string, json: any): { readonly message: string; readonly code?: string } {
  if (json === undefined) return { message: text };
  if (typeof json === "string") return { message: json };
  if (json.message !== undefined) {
    const { code, message } = json;
    expect(json).toEqual({ code, message, HTTPErrorCode: json.HTTPErrorCode, Code: code, Message: message });
    return { message, code };
  }
  const said: string = json.error?.Message ?? json.Error ?? json.Message;
  return { message: said.replace(/^(Failed to find a task for the request|unable to lookup container): /, "") };
}
