import type { CredentialSource, Credentials } from "../../../src/aws/types.ts";
import { parseRole } from "../../../src/credentials/role.ts";
import { createVendor, type VendRequest } from "../../../src/credentials/vendor.ts";
import { AppError } from "../../../src/errors.ts";
import type { Log } from "../../../src/log.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
const quiet = () => {};
const log: Log = { debug: quiet, info: quiet, warning: quiet, error: quiet, flush: quiet };

export const roleRequest = (name: string): VendRequest => ({ kind: "role", role: parseRole(name, "any") });

/**
 * A vendor in a world with a true time, the wall clock that somebody may set, and the monotonic clock that stands still
 * while the machine sleeps. Credentials end at a true time, as STS says it.
 */
export function createWorld(options: { lifeMs?: number; entriesMax?: number } = {}) {
  const world = {
    /** Milliseconds since 1970, hidden from the code under test. */
    truth: Date.UTC(2026, 0, 1),
    wallAheadMs: 0,
    sleptMs: 0,
    isDown: false,
    lifeMs: options.lifeMs ?? HOUR,
    version: "a",
    /** When the source was asked, by role, and how the clocks stood. */
    calls: new Map<string, { readonly monotonic: number; readonly clocks: string }[]>(),
    pass(ms: number): void {
      world.truth += ms;
    },
    sleep(ms: number): void {
      world.truth += ms;
      world.sleptMs += ms;
    },
  };
  const now = (): number => world.truth + world.wallAheadMs;
  const monotonic = (): number => world.truth - world.sleptMs;

  async function issue(role: string): Promise<Credentials> {
    const calls = world.calls.get(role) ?? [];
    calls.push({ monotonic: monotonic(), clocks: `${world.sleptMs} ${world.wallAheadMs}` });
    world.calls.set(role, calls);
    await undefined;
    if (world.isDown) throw new AppError("upstream-unavailable", "STS is down");
    const expiration = world.truth + world.lifeMs;
    const made = { accessKeyId: "A", secretAccessKey: "S", sessionToken: `${role}-${calls.length}`, roleArn: "" };
    return { ...made, expiration };
  }
  const source: CredentialSource = {
    version: () => world.version,
    session: () => issue(""),
    assume: (role) => issue(role.id),
    warm: async () => {},
  };
  const vendor = createVendor({
    source,
    now,
    monotonic,
    log,
    ...(options.entriesMax === undefined ? {} : { entriesMax: options.entriesMax }),
  });
  /** What a client gets: credentials, or the error. */
  const ask = async (request: VendRequest): Promise<Credentials | AppError> => {
    try {
      return await vendor.vend(request);
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  };
  return { world, vendor, ask };
}

/** Lets what runs in the background come to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await undefined;
}
