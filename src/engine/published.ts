import type { Container } from "./container.ts";

/**
 * Where the engine publishes a TCP port of a container to others than this machine, as `0.0.0.0:51679`: who comes that
 * way looks like the gateway.
 */
export function publishedBeyondLoopback(container: Container, port: number): string[] {
  return container.ports
    .filter(({ containerPort, protocol }) => containerPort === port && protocol === "tcp")
    .filter(({ hostIp = "" }) => !hostIp.startsWith("127.") && hostIp !== "::1")
    .map(({ hostIp, hostPort }) => `${hostIp?.includes(":") ? `[${hostIp}]` : hostIp || "0.0.0.0"}:${hostPort}`);
}
