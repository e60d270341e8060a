import { expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppError } from "../../src/errors.ts";
import { toResponse } from "../../src/routes/http-error.ts";
import { type Answer, configured, home, KEYS, setVariable, startFake } from "./credential-server.ts";
import { expectText, type Row } from "./errors-table.ts";
import { secret } from "./secrets.ts";

/** What fails, asked by its path, and what the log said of it. */
export interface Provoked {
  readonly get: (path: string) => Promise<Answer>;
  readonly lines: readonly string[];
}
export type Provoke = () => Promise<Provoked>;

export const PASSWORD = secret("not-for-a-log-1");
const ACCESS_TOKEN = secret("sso-access-token");
export const SECRETS = { ...KEYS, AWS_SECRET_ACCESS_KEY: secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY") };
/** A port that no system gives away: one that was free may be that of the server under test. */
export const UNREACHABLE = "http://127.0.0.1:1";
export const ROLE = "arn:aws:iam::111122223333:role/app";

/** STS and IAM that fail so. */
export function failing(failures: ReturnType<typeof startFake>["failures"], clockMs = 0): Provoke {
  return async () => {
    const aws = startFake();
    Object.assign(aws.failures, failures);
    aws.clockMs = clockMs;
    return configured({ ...SECRETS, STS_ENDPOINT: aws.url, IAM_ENDPOINT: aws.url });
  };
}

/** A home with these files of ~/.aws, on a machine that gives no identity. */
export function identity(files: Parameters<typeof home>[0], env: Record<string, string> = {}): Provoke {
  return async () => configured({ HOME: home(files), AWS_EC2_METADATA_DISABLED: "true", ...env });
}

/** The same with lines of a profile `dev`, which AWS_PROFILE names. */
export function profile(lines: string, env: Record<string, string> = {}): Provoke {
  return identity({ config: `[profile dev]\n${lines}\n` }, { AWS_PROFILE: "dev", ...env });
}

/** A login of SSO. The SDK looks for its token in the home of the process, and remembers a session by its name. */
export function sso(session: string, expiresAt: string, env: Record<string, string> = {}, more: object = {}): Provoke {
  return async () => {
    const account = `sso_session = ${session}\nsso_account_id = 111122223333\nsso_role_name = Dev`;
    const start = `[sso-session ${session}]\nsso_start_url = https://corp\nsso_region = us-east-1\n`;
    const HOME = home({ config: `[profile dev]\n${account}\n${start}` });
    const cache = join(HOME, ".aws", "sso", "cache");
    mkdirSync(cache, { recursive: true });
    const name = new Bun.CryptoHasher("sha1").update(session).digest("hex");
    writeFileSync(join(cache, `${name}.json`), JSON.stringify({ accessToken: ACCESS_TOKEN, expiresAt, ...more }));
    for (const [variable, value] of Object.entries({ HOME, ...env })) setVariable(variable, value);
    return configured({ HOME, AWS_PROFILE: "dev", AWS_EC2_METADATA_DISABLED: "true" });
  };
}

/** What failed with a limit that is shorter than the program's, as `/creds` answers it. */
export async function failedWith(work: () => unknown): Promise<Provoked> {
  const failure = await Promise.try(work).then(
    () => undefined,
    (error: AppError) => error,
  );
  const answer = toResponse(failure, "/creds");
  const body = (await answer.json()) as Record<string, string>;
  return { get: async () => ({ status: answer.status, body }), lines: [failure?.sentence ?? ""] };
}

/** Asks, and holds the answer and the log against the row. */
export async function expectRow(row: Row, { get, lines }: Provoked, path = "/creds"): Promise<void> {
  const { status, body } = await get(path);
  const { code, message = "" } = body;
  expectText(row, message);
  expect({ status, code }).toEqual({ status: row.statuses[0] ?? 0, code: row.code ?? "" });
  expect(JSON.stringify(body)).toBe(
    JSON.stringify({ code, message, HTTPErrorCode: status, Code: code, Message: message }),
  );
  const log = lines.join("\n");
  // Its values are JSON, and what goes on has not failed yet.
  const said = row.why.startsWith("slow") ? message.split("; ").slice(0, 1) : message.split("; ");
  for (const sentence of said) expect(log).toContain(JSON.stringify(sentence).slice(1, -1));
  for (const hidden of [SECRETS.AWS_SECRET_ACCESS_KEY, PASSWORD, ACCESS_TOKEN]) {
    expect(message + log).not.toContain(hidden);
  }
}
