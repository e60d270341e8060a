/** What a helper process tells first, and whenever it is asked. */
export interface HelperMessage {
  readonly address: string;
  readonly calls: Readonly<Record<string, number>>;
}

export interface Helper {
  readonly address: string;
  /** How often each thing has been asked of it so far. */
  readonly calls: () => Promise<HelperMessage["calls"]>;
  readonly stop: () => Promise<void>;
}

/** Runs a file of this folder as a process of its own, so that its work is on nobody's account. */
export async function startHelper(file: string, ...args: string[]): Promise<Helper> {
  let next = Promise.withResolvers<HelperMessage>();
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/${file}`, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    ipc: (message: HelperMessage) => next.resolve(message),
    onExit: () => next.reject(new Error(`${file} ended`)),
  });
  const { address } = await next.promise;
  return {
    address,
    async calls() {
      next = Promise.withResolvers();
      child.send("calls");
      return (await next.promise).calls;
    },
    async stop() {
      next.promise.catch(() => undefined);
      child.kill();
      await child.exited;
    },
  };
}

/** The other end, in the helper process. It ends with the process that started it. */
export function serveHelper(address: string, calls: () => HelperMessage["calls"], close: () => Promise<void>): void {
  const tell = () => process.send?.({ address, calls: calls() } satisfies HelperMessage);
  const end = () => void close().finally(() => process.exit(0));
  process.on("message", tell);
  process.on("disconnect", end);
  process.on("SIGTERM", end);
  tell();
}
