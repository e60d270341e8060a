const MINUTE_MS = 60_000;
const SHORT_LIFE_MS = 30 * MINUTE_MS;
const WINDOW_MS = 20 * MINUTE_MS;
const HAND_OUT_MS = 15 * MINUTE_MS;

/**
 * How long before their end credentials are to be renewed: at 20 minutes or a third of their life, whichever is more,
 * and at half of a life of up to 30 minutes.
 *
 * @param lifeMs what was left when they were obtained
 * @returns milliseconds before the expiration
 */
export function renewalWindowMs(lifeMs: number): number {
  return lifeMs <= SHORT_LIFE_MS ? lifeMs / 2 : Math.max(WINDOW_MS, lifeMs / 3);
}

/**
 * How much must be left for credentials to be handed out without first trying for better ones: botocore refetches
 * what has less than 15 minutes on every use.
 *
 * @param lifeMs what was left when they were obtained
 * @returns milliseconds before the expiration
 */
export function handOutWindowMs(lifeMs: number): number {
  return lifeMs <= SHORT_LIFE_MS ? lifeMs / 4 : HAND_OUT_MS;
}
