import { AppError } from "../errors.ts";
import { type Asked, isInterfaceName } from "./state.ts";

/** What the command line asks of `network`. */
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

/**
 * Reads the options.
 *
 * @returns undefined where none says what is to stand, so that `status` asks what `up` was told
 * @throws AppError `bad-configuration`
 */
export function readAsked({ bridge, port, loopback }: NetworkRequest): Asked | undefined {
  if (bridge === undefined && port === undefined && !loopback) return undefined;
  if (loopback && (bridge !== undefined || port !== undefined)) {
    throw new AppError("bad-configuration", "--loopback goes with neither --bridge nor --port", {
      hint: "with --loopback there are no rules: the server listens on 169.254.170.2:80 itself",
    });
  }
  const number = port === undefined ? PORT : /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65_535) {
    throw new AppError(
      "bad-configuration",
      `--port is '${port}', which is not a port: give a whole number from 1 to 65535, such as ${PORT}`,
    );
  }
  const wrong = bridge?.find((name) => !isInterfaceName(name));
  if (wrong !== undefined) {
    throw new AppError("bad-configuration", `--bridge is '${wrong}', which no bridge is called`, {
      hint: "give the name of a bridge, such as docker0: ip link show type bridge",
    });
  }
  return { port: number, loopback: loopback ?? false, ...(bridge && { bridges: [...bridge] }) };
}

/** What `up` does without options. */
export const ASKED_BY_DEFAULT: Asked = { port: PORT, loopback: false };

/** The options that ask for the same. */
export function optionsOf({ port, bridges = [], loopback }: Asked): string[] {
  if (loopback) return ["--loopback"];
  return [...bridges.flatMap((name) => ["--bridge", name]), ...(port === PORT ? [] : ["--port", String(port)])];
}
