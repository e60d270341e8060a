import { join } from "node:path";
import { note } from "../secrets.ts";
import { describeWhere, prepareGo, preparePython, type Tools } from "../tools.ts";

/** A program that is written with one SDK, as a user's is, and asks STS who it is. */
export interface SdkClient {
  readonly name: string;
  /**
   * Runs it with nothing of this environment.
   *
   * @param addresses of credentials, each of which is asked in turn; without any, `env` has to say where they are
   * @param by another program's leave: `ip netns exec ...`
   */
  readonly run: (options: {
    readonly addresses?: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly by?: readonly string[];
  }) => Promise<Transcript>;
}

/** What its user sees. */
export interface Transcript {
  readonly exitCode: number;
  /** A line for each address: the user id, a space, the ARN. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Has moto as well, which all tests of clients ask. */
export const python = preparePython("sdk/python", join(import.meta.dir, "requirements.txt"));
const go = prepareGo("sdk/go", join(import.meta.dir, "go"));

const COMMANDS: readonly (readonly [name: string, tools: Tools, command: (folder: string) => string[]])[] = [
  ["boto3", python, (folder) => [join(folder, "bin/python"), join(import.meta.dir, "boto3-client.py")]],
  ["the AWS CLI", python, (folder) => ["/bin/sh", join(import.meta.dir, "cli-client.sh"), join(folder, "bin/aws")]],
  ["the SDK for Go", go, (folder) => [join(folder, "client")]],
  ["the SDK for JavaScript", { folder: "" }, () => [process.execPath, join(import.meta.dir, "js-client.ts")]],
];

/** The same tests for each client. One that cannot run here has them skipped by name; with `CI=true` that is a failure. */
export function describeClients(what: string, body: (client: SdkClient) => void): void {
  for (const [name, tools, command] of COMMANDS) {
    const missing = "missing" in tools ? tools.missing : "missing" in python ? python.missing : undefined;
    const folder = "folder" in tools ? tools.folder : "";
    const client: SdkClient = { name, run: (options) => run(command(folder), options) };
    describeWhere(`${name} ${what}`, missing, () => body(client));
  }
}

/** All that a user sets who has no profile. botocore knows the region by another name than the rest. */
const ENVIRONMENT = {
  PATH: "/usr/bin:/bin",
  HOME: "/nonexistent",
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
};

async function run(command: string[], { addresses = [], env, by = [] }: Parameters<SdkClient["run"]>[0]) {
  const child = Bun.spawn([...by, ...command, ...addresses], {
    cwd: "/",
    env: { ...ENVIRONMENT, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  note(`${stdout}${stderr}`);
  return { exitCode: await child.exited, stdout, stderr };
}
