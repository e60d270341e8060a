import { AppError } from "../errors.ts";

/** An abstract socket: of this network namespace alone, and free as soon as its process is gone, however it ended. */
const NAME = "\0ecs-local-endpoints/network";
const WAIT_MS = 10_000;
const AGAIN_MS = 50;

/**
 * Waits until no other process changes the network's rules by this program.
 *
 * @returns what lets the next one in
 * @throws AppError `network-failed` after 10 s
 */
export async function takeTurn(name = NAME, waitMs = WAIT_MS): Promise<() => void> {
  for (const until = performance.now() + waitMs; ; await Bun.sleep(AGAIN_MS)) {
    try {
      const held = Bun.listen({ unix: name, socket: { open: (socket) => void socket.end(), data() {} } });
      return () => held.stop(true);
    } catch (cause) {
      if (performance.now() < until) continue;
      throw new AppError("network-failed", "another network command of this program is running", {
        hint: "wait until it has ended and run this again",
        cause,
      });
    }
  }
}
