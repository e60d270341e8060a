import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether certificates can be made here. With CI=true a missing `openssl` fails the tests that need it. */
export const HAS_OPENSSL = Bun.which("openssl") !== null || process.env.CI === "true";

export type Authority = ReturnType<typeof createAuthority>;

/** A certificate authority of this test's own, with keys that it makes and throws away. */
export function createAuthority() {
  const folder = mkdtempSync(join(tmpdir(), "authority-"));
  const ca = join(folder, "ca.pem");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(folder, ["req", "-x509", ...key, "-keyout", "ca.key", "-out", ca, "-days", "2", "-subj", "/CN=A test's own"]);

  function sign(names: readonly string[], days: number): { readonly cert: string; readonly key: string } {
    openssl(folder, ["req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server"]);
    writeFileSync(join(folder, "names"), `subjectAltName=${names.join(",")}\n`);
    const signer = ["-CA", ca, "-CAkey", "ca.key", "-CAcreateserial", "-days", `${days}`, "-extfile", "names"];
    openssl(folder, ["x509", "-req", "-in", "server.csr", "-out", "server.pem", ...signer]);
    return {
      cert: readFileSync(join(folder, "server.pem"), "utf8"),
      key: readFileSync(join(folder, "server.key"), "utf8"),
    };
  }

  return {
    /** Path of the PEM file that AWS_CA_BUNDLE would name. */
    ca,
    /** A certificate for these names, such as `DNS:localhost` or `IP:127.0.0.1`. */
    issue: (...names: string[]) => sign(names, 2),
    /** One that has ended by the time that it is given. */
    async issueEnded(...names: string[]) {
      const made = sign(names, 0);
      await Bun.sleep(1_100);
      return made;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function openssl(cwd: string, args: readonly string[]): void {
  const run = Bun.spawnSync(["openssl", ...args], { cwd, stderr: "pipe" });
  if (run.exitCode !== 0) throw new Error(`openssl ${args[0]}: ${run.stderr}`);
}
