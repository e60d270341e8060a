import { appendFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder in which `scripts/test` collects what the run's servers and clients said, and the secrets that it looks for
 * in there at the end. Nothing is written where it is not set.
 */
const folder = process.env.ECS_TEST_RECORDS;

/** Anything shorter would be found by chance. */
const CHARACTERS_MIN = 6;
/** A text that was cut off may hold no more of a secret than its beginning. */
const BEGINNING_CHARACTERS = 24;
const NAMES = /secret|session_token|auth_token$|accessToken|refreshToken|clientSecret/i;

const known = new Set<string>();

/** Tells the end of the run to look for `value`, in each form in which it could have been written. */
export function secret(value: string): string {
  if (folder === undefined || value.length < CHARACTERS_MIN || known.has(value)) return value;
  known.add(value);
  const forms = [value, encodeURIComponent(value), Buffer.from(value).toString("base64")];
  if (value.length > 2 * BEGINNING_CHARACTERS) forms.push(value.slice(0, BEGINNING_CHARACTERS));
  appendFileSync(join(folder, "secrets"), `${[...new Set(forms)].join("\n")}\n`);
  return value;
}

/** Registers those values of an environment whose names say that they are secret, and the password of a URL. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value = ""] of Object.entries(env)) secret(NAMES.test(name) ? value : passwordOf(value));
}

function passwordOf(value: string): string {
  return /^\w+:\/\/[^/@:]*:([^/@]+)@/.exec(value)?.[1] ?? "";
}

/** Registers those of a file of ~/.aws, INI or JSON. */
export function secretsOfFile(text: string): void {
  for (const [, name = "", value = ""] of text.matchAll(/"?(\w+)"?\s*[=:]\s*"?([^\s",]+)/g)) {
    if (NAMES.test(name)) secret(value);
  }
}

/** What a server, a client or a log said: no secret may be in it. Gives it back. */
export function note(text: string): string {
  if (folder !== undefined && text !== "") appendFileSync(join(folder, "said"), `${text}\n`);
  return text;
}

/** A body that was answered: what it returns is secret, what it refuses must not hold a secret. */
export function noteAnswer(status: number, body: string): void {
  if (folder === undefined) return;
  if (status !== 200) {
    note(body);
    return;
  }
  const returned = /"SecretAccessKey":("[^"]*"),"Token":("[^"]*")/.exec(body);
  for (const value of returned?.slice(1) ?? []) secret(JSON.parse(value));
}
