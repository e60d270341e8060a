import { AppError } from "../errors.ts";
import { PROCESS_TIMEOUT_MS, withTimeout } from "../timeout.ts";
import { type AwsCredentialIdentity, isText, parseExpiration } from "./types.ts";

const OUTPUT_CHARACTERS_MAX = 100_000;

/**
 * Runs `credential_process`, one at a time of each. We run it and not the SDK, which waits for ever and puts the
 * program's standard error, where passwords may be, into its own error. We discard it.
 *
 * @param options.deadlineMs then the program and what it started are killed, and the next request starts another
 * @returns a function of the profile and its command; it throws AppError `identity-failed`
 */
export function createProcesses(options: { readonly deadlineMs?: number | undefined; readonly shell?: string } = {}) {
  const { deadlineMs = PROCESS_TIMEOUT_MS, shell = "/bin/sh" } = options;
  const running = new Map<string, Promise<AwsCredentialIdentity>>();

  async function start(profile: string, command: string): Promise<AwsCredentialIdentity> {
    const fail = (what: string, hint = `run the credential_process of profile '${profile}' by hand`): AppError =>
      new AppError("identity-failed", `profile '${profile}': its credential_process ${what}`, { hint });
    const child = spawn(shell, command);
    if (child === undefined) {
      throw fail(
        `needs ${shell}, which is not here`,
        `run the server outside of its image, or give it what this prints as its environment: aws configure export-credentials --profile ${profile} --format env-no-export`,
      );
    }
    // In its own group it gets no Ctrl-C, and would outlive this program.
    const end = () => killGroup(child.pid);
    process.once("exit", end);
    const late = () => fail(`did not end within ${deadlineMs / 1000} s`, "run it by hand; it may not ask for anything");
    try {
      const output = await withTimeout(read(child.stdout), deadlineMs, late);
      if (output === undefined) throw fail("wrote more than credentials are");
      const exitCode = await withTimeout(child.exited, deadlineMs, late);
      if (exitCode !== 0) throw fail(`failed (exit code ${exitCode}${exitCode === 127 ? ": no such program" : ""})`);
      const given = parse(output);
      if (typeof given === "string") throw fail(given);
      return given;
    } catch (error) {
      end();
      throw error;
    } finally {
      process.off("exit", end);
    }
  }

  return (profile: string, command: string): Promise<AwsCredentialIdentity> => {
    const key = `${profile}\n${command}`;
    const under = running.get(key);
    if (under !== undefined) return under;
    const started = start(profile, command).finally(() => running.delete(key));
    running.set(key, started);
    return started;
  };
}

/** In a group of its own, so that it can be killed with all that it started. Undefined if there is no shell. */
function spawn(shell: string, command: string) {
  try {
    return Bun.spawn([shell, "-c", command], { stdin: "ignore", stdout: "pipe", stderr: "ignore", detached: true });
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

async function read(stream: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > OUTPUT_CHARACTERS_MAX) return undefined;
  }
  return text;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** The credentials, or what is wrong with them, by the rules of the SDK. */
function parse(output: string): AwsCredentialIdentity | string {
  let given: Record<string, unknown>;
  try {
    given = Object(JSON.parse(output));
  } catch {
    return "returned invalid JSON";
  }
  const { Version, AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given;
  if (Version !== 1) return "did not return Version 1";
  if (!isText(AccessKeyId) || !isText(SecretAccessKey)) return "returned no keys";
  const token = SessionToken || undefined;
  if (token !== undefined && !isText(token)) return "returned a SessionToken that is not a string";
  const expiration = Expiration ? parseExpiration(String(Expiration)) : undefined;
  if (Expiration && expiration === undefined) return "returned an Expiration that is not a time";
  if (expiration !== undefined && expiration.getTime() < Date.now()) return "returned expired credentials";
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(token !== undefined && { sessionToken: token }),
    ...(expiration && { expiration }),
  };
}
