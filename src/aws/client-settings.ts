import type { HttpHandler } from "@smithy/core/protocols";
import type { AwsConfig, Environment } from "../config.ts";
import { createHttpHandler } from "./http-handler.ts";

/** A provider asks a chain of services, and its failure is the identity's. */
const PROVIDER_ATTEMPTS_MAX = 2;
/** The vendor remembers a failure, and who asks us tries again: more would double the calls of an outage. */
const ATTEMPTS_MAX = 1;
const FALLBACK_REGION = "us-east-1";

interface ServiceSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly requestHandler: HttpHandler;
  readonly maxAttempts: number;
}

/** How our clients, and those inside of the SDK's providers, reach AWS. */
export interface ClientSettings {
  /** Without a region: a provider's client for SSO has its own. */
  readonly inner: { readonly requestHandler: HttpHandler; readonly maxAttempts: number };
  readonly sts: (profileRegion: string | undefined) => ServiceSettings;
  readonly iam: (profileRegion: string | undefined) => ServiceSettings;
}

export function createClientSettings(config: AwsConfig, env: Environment): ClientSettings {
  const inner = { requestHandler: createHttpHandler(env), maxAttempts: PROVIDER_ATTEMPTS_MAX };
  const service = (endpoint: string | undefined, profileRegion: string | undefined): ServiceSettings => ({
    ...inner,
    maxAttempts: ATTEMPTS_MAX,
    region: config.region ?? profileRegion ?? FALLBACK_REGION,
    // An `endpoint: undefined` would keep the SDK from reading its own variables and profile settings.
    ...(endpoint !== undefined && { endpoint }),
  });
  return {
    inner,
    sts: (profileRegion) => service(config.stsEndpoint, profileRegion),
    iam: (profileRegion) => service(config.iamEndpoint, profileRegion),
  };
}
