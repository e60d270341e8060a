import { createConnection, createServer } from "node:net";

/** Stands before a port of 127.0.0.1 and hands on each answer `delayMs` late. */
export async function startSlow(target: number, delayMs: number) {
  const server = createServer((client) => {
    const upstream = createConnection(target, "127.0.0.1");
    client.pipe(upstream);
    upstream.on("data", (chunk) => void setTimeout(() => client.write(chunk), delayMs));
    upstream.on("close", () => void setTimeout(() => client.destroy(), delayMs));
    for (const side of [client, upstream]) side.on("error", () => upstream.destroy());
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}`, stop: () => void server.close() };
}
