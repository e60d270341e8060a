import { createConnection, createServer, type Socket } from "node:net";

/**
 * A proxy as companies have it: CONNECT for TLS, absolute URLs for the rest, Basic authentication if a user is given. It
 * resolves no name: all that it lets through goes to `targetPort` of this machine.
 */
export async function startForwardProxy(options: { targetPort: number; user?: string; refuse?: number }) {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const expected = options.user && `Basic ${btoa(options.user)}`;

  function accept(client: Socket): void {
    sockets.add(client);
    client.on("error", () => client.destroy()).on("close", () => sockets.delete(client));
    client.once("data", (chunk) => {
      const head = chunk.toString("latin1");
      const [method = "", target = ""] = head.split(" ", 2);
      asked.push(`${method} ${target}`);
      const given = /^proxy-authorization: (.*)\r$/im.exec(head)?.[1];
      const status = options.refuse ?? (expected && given !== expected ? 407 : 0);
      if (status !== 0) {
        client.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        return;
      }
      const server = createConnection(options.targetPort, "127.0.0.1");
      sockets.add(server);
      server.on("error", () => client.destroy()).on("close", () => sockets.delete(server));
      if (method === "CONNECT") client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      else server.write(head.replace(/^(\S+) http:\/\/[^/]+/, "$1 "));
      client.pipe(server);
      server.pipe(client);
    });
  }

  const listener = createServer(accept);
  const { promise, resolve } = Promise.withResolvers<void>();
  listener.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    port,
    url: `http://${options.user ? `${options.user}@` : ""}127.0.0.1:${port}`,
    /** The request lines of all connections, in order. */
    asked,
    stop(): void {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
