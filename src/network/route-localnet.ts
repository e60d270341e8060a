import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { AppError } from "../errors.ts";

const CONF = "/proc/sys/net/ipv4/conf";
const INTERFACES = "/sys/class/net";

/** The number of an interface, which no other one gets until a restart; undefined if there is none of that name. */
export function ifindexOf(name: string): number | undefined {
  const text = read(`${INTERFACES}/${name}/ifindex`);
  return text !== undefined && /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}

/** The present name of an interface; undefined if it does not exist any more. */
export function nameOf(ifindex: number): string | undefined {
  return readdirSync(INTERFACES).find((name) => ifindexOf(name) === ifindex);
}

/** `net.ipv4.conf.<name>.route_localnet`: with 1, packets to 127.0.0.0/8 are accepted from that interface. */
export function routeLocalnet(name: string): string | undefined {
  return read(`${CONF}/${name}/route_localnet`);
}

/** @throws AppError `network-failed` */
export function setRouteLocalnet(name: string, value: string): void {
  try {
    writeFileSync(`${CONF}/${name}/route_localnet`, value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("network-failed", `net.ipv4.conf.${name}.route_localnet could not be set: ${reason}`, {
      hint: "run it as root on the machine, where /proc/sys is writable",
      cause,
    });
  }
}

/** The interfaces whose `route_localnet` is 1. `all` means every interface. */
export function openInterfaces(): readonly string[] {
  return readdirSync(CONF).filter((name) => routeLocalnet(name) === "1");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
