import { AppError } from "../errors.ts";
import { isInterfaceName, type UpOptions } from "./state.ts";

/** The command line of `network`. */
export interface NetworkRequest {
  readonly action: "up" | "down" | "status";
  readonly bridge?: readonly string[];
  readonly port?: string;
  readonly loopback?: boolean;
  readonly print?: boolean;
  readonly printUnit?: boolean;
  readonly json?: boolean;
}

const PORT = 51679;

/** `network up` without options. */
export const DEFAULT_OPTIONS: UpOptions = { port: PORT, loopback: false };

/**
 * Reads the options.
 *
 * @returns undefined without any, so that `status` uses those of the last `up`
 * @throws AppError `bad-configuration`
 */
export function readOptions({ bridge, port, loopback }: NetworkRequest): UpOptions | undefined {
  if (bridge === undefined && port === undefined && !loopback) return undefined;
  if (loopback && (bridge !== undefined || port !== undefined)) {
    throw new AppError("bad-configuration", "--loopback cannot be combined with --bridge or --port", {
      hint: "with --loopback there are no rules: the server itself listens on 169.254.170.2:80",
    });
  }
  const number = port === undefined ? PORT : /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65_535) {
    throw new AppError("bad-configuration", `--port is '${port}', which is not a port`, {
      hint: `give a whole number from 1 to 65535, such as ${PORT}`,
    });
  }
  const wrong = bridge?.find((name) => !isInterfaceName(name));
  if (wrong !== undefined) {
    throw new AppError("bad-configuration", `--bridge is '${wrong}', which cannot be the name of a bridge`, {
      hint: "list the bridges of this machine with: ip link show type bridge",
    });
  }
  return { port: number, loopback: loopback ?? false, ...(bridge && { bridges: [...bridge] }) };
}

/** The command line for these options. */
export function optionWords({ port, bridges = [], loopback }: UpOptions): string[] {
  if (loopback) return ["--loopback"];
  return [...bridges.flatMap((name) => ["--bridge", name]), ...(port === PORT ? [] : ["--port", String(port)])];
}
