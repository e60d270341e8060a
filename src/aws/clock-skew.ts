import { HttpRequest } from "@smithy/core/protocols";
import type { AwsConfig } from "../config/aws.ts";
import type { Environment } from "../config/config.ts";
import { toAppError } from "./errors.ts";
import { createHttpHandler } from "./http-handler.ts";

const FALLBACK_REGION = "us-east-1";

/**
 * How far AWS's clock is ahead of this machine's, by the header Date of an answer of STS. Nothing is signed: STS says its
 * time to anybody, whatever it says of the request.
 *
 * @param now milliseconds since 1970
 * @returns milliseconds, exact to about a second; undefined if the answer has no date
 * @throws AppError when STS cannot be reached
 */
export async function askSkewMs(
  config: Pick<AwsConfig, "stsEndpoint" | "region">,
  env: Environment,
  now: () => number,
  deadlineMs: number,
): Promise<number | undefined> {
  const region = config.region ?? FALLBACK_REGION;
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const url = new URL(config.stsEndpoint ?? `https://sts.${region}.${suffix}`);
  const { protocol, hostname, port, pathname: path } = url;
  const request = new HttpRequest({
    ...{ method: "GET", protocol, hostname, path },
    ...(port !== "" && { port: Number(port) }),
    headers: { host: url.host },
  });
  const askedAt = now();
  try {
    const { response } = await createHttpHandler(env, deadlineMs).handle(request);
    const theirs = Date.parse(response.headers.date ?? "");
    // The header has whole seconds: half of one is the best guess of what was cut off.
    return Number.isNaN(theirs) ? undefined : theirs + 500 - (askedAt + now()) / 2;
  } catch (error) {
    throw toAppError(error, { action: "asking STS for its time", remedy: "check the network" });
  }
}
