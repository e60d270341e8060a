import type { HttpHandler } from "@smithy/core/protocols";
import type { AwsConfig } from "../config/aws.ts";
import type { Environment } from "../config/config.ts";
import { createHttpHandler } from "./http-handler.ts";
import { RETRY_FOR_THE_CLOCK } from "./retry.ts";

/** Of the clients for SSO inside of the providers. */
const PROVIDER_ATTEMPTS_MAX = 2;
const FALLBACK_REGION = "us-east-1";

interface ServiceSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly requestHandler: HttpHandler;
  readonly retryStrategy: typeof RETRY_FOR_THE_CLOCK;
}

/** How our clients, and those inside of the SDK's providers, reach AWS. */
export interface ClientSettings {
  /** Without a region: a provider's client for SSO has its own. */
  readonly inner: { readonly requestHandler: HttpHandler; readonly maxAttempts: number };
  readonly sts: (profileRegion: string | undefined) => ServiceSettings;
  readonly iam: (profileRegion: string | undefined) => ServiceSettings;
}

export function createClientSettings(config: AwsConfig, env: Environment): ClientSettings {
  const requestHandler = createHttpHandler(env);
  const service = (endpoint: string | undefined, profileRegion: string | undefined): ServiceSettings => ({
    requestHandler,
    retryStrategy: RETRY_FOR_THE_CLOCK,
    region: config.region ?? profileRegion ?? FALLBACK_REGION,
    // An `endpoint: undefined` would keep the SDK from reading its own variables and profile settings.
    ...(endpoint !== undefined && { endpoint }),
  });
  return {
    inner: { requestHandler, maxAttempts: PROVIDER_ATTEMPTS_MAX },
    sts: (profileRegion) => service(config.stsEndpoint, profileRegion),
    iam: (profileRegion) => service(config.iamEndpoint, profileRegion),
  };
}
