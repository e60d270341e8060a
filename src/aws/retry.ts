import type { STSClientConfig } from "@aws-sdk/client-sts";
import { isSkewRefusal } from "./errors.ts";

type RetryStrategy = Exclude<NonNullable<STSClientConfig["retryStrategy"]>, { readonly retry: unknown }>;

const token = (count: number) => ({ getRetryCount: () => count, getRetryDelay: () => 0 });

/**
 * Sends a call again only where its signature had the wrong time, and once: the SDK has then learned AWS's time from the
 * refusal. The vendor remembers any other failure, and who asks us tries again; more attempts here would double the calls
 * of an outage.
 */
export const RETRY_FOR_THE_CLOCK: RetryStrategy = {
  acquireInitialRetryToken: async () => token(0),
  refreshRetryTokenForRetry: async (used, { error }) => {
    if (used.getRetryCount() > 0 || !isSkewRefusal(error)) throw error;
    return token(1);
  },
  recordSuccess: () => {},
};
