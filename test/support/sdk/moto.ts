import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { freePort } from "../free-port.ts";
import { note, secret } from "../secrets.ts";
import { python } from "./clients.ts";

const ACCOUNT = "123456789012";

/** STS and IAM as moto has them: any role may be assumed, and one that was made is known by its id. */
export async function startMoto(options: { readonly port?: number; readonly by?: readonly string[] } = {}) {
  if ("missing" in python) throw new Error(python.missing);
  const { port = freePort(), by = [] } = options;
  const command = [`${python.folder}/bin/python`, "-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)];
  const child = Bun.spawn([...by, ...command], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", MOTO_ACCOUNT_ID: ACCOUNT },
    stdout: "ignore",
    stderr: "pipe",
  });
  const listening = Promise.withResolvers<void>();
  let log = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      log += decoder.decode(chunk, { stream: true });
      if (log.includes("Running on")) listening.resolve();
    }
    listening.reject(new Error(`moto does not listen:\n${log}`));
  })();
  await listening.promise;
  const url = `http://127.0.0.1:${port}`;
  return {
    port,
    url,
    /** Makes a role; gives the id that the caller's user id begins with. */
    async createRole(path: string, name: string): Promise<string> {
      const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: secret("of-the-administrator") };
      const iam = new IAMClient({ endpoint: url, region: "us-east-1", credentials });
      const document = JSON.stringify({ Version: "2012-10-17", Statement: [] });
      const made = await iam.send(
        new CreateRoleCommand({ Path: path, RoleName: name, AssumeRolePolicyDocument: document }),
      );
      return made.Role?.RoleId ?? "";
    },
    async stop(): Promise<void> {
      child.kill();
      await reading;
      note(log);
      await child.exited;
    },
  };
}
