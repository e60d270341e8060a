import { isIP } from "node:net";
import type { Config } from "../config/config.ts";
import { AppError } from "../errors.ts";

/** A name server that does not answer must not keep the reason of a bad start. */
const LOOK_UP_MS = 2_000;

/**
 * Why the server cannot listen, and what to do.
 *
 * @returns AppError `cannot-listen`
 */
export async function cannotListen(
  { bindAddress, port }: Pick<Config, "bindAddress" | "port">,
  cause: unknown,
): Promise<AppError> {
  // Of a name that nobody knows Bun may say that its port is taken.
  const code = (await isKnown(bindAddress)) ? (cause as { code?: unknown }).code : undefined;
  const where = `${bindAddress}:${port}`;
  const [reason, hint] =
    code === "EADDRINUSE"
      ? ["is taken by another process", "stop that one, or choose a port with ECS_LOCAL_METADATA_PORT or --port"]
      : code === "EACCES"
        ? [
            "is forbidden to this user",
            "choose a port above 1023, such as 51679, with ECS_LOCAL_METADATA_PORT or --port",
          ]
        : code === "EADDRNOTAVAIL"
          ? ["is no address of this machine", "set ECS_LOCAL_BIND_ADDRESS or --bind to one that is, or to 0.0.0.0"]
          : ["cannot be used", "see whether ECS_LOCAL_BIND_ADDRESS or --bind is an IP address of this machine"];
  return new AppError("cannot-listen", `${where} ${reason}`, { hint, cause });
}

/** Whether an address is one, or the name of one. */
async function isKnown(bindAddress: string): Promise<boolean> {
  if (isIP(bindAddress) !== 0) return true;
  const found = Bun.dns.lookup(bindAddress).then(
    () => true,
    () => false,
  );
  return Promise.race([found, Bun.sleep(LOOK_UP_MS).then(() => false)]);
}
