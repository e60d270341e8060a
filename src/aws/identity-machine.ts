import type { HttpHandler } from "@smithy/core/protocols";
import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import { createContainer } from "./container-endpoint.ts";
import type { Countdown } from "./countdown.ts";
import { withoutSecrets } from "./errors.ts";
import type { Section } from "./identity-sections.ts";
import { askInstance, instanceService } from "./instance.ts";
import type { AwsCredentialIdentity } from "./types.ts";
import { noAnswerOf } from "./unreachable.ts";

/** Shorter than a client's cold wait, so that on a machine that has no such service the first answer says so. */
const INSTANCE_DEADLINE_MS = 700;
const INSTANCE_ABSENT_MS = 60_000;

/** The credentials that the machine gives to what runs on it. */
export interface Machine {
  /** The variable that says where a container's credentials are, if one does. */
  readonly containerVariable: string | undefined;
  /** Throws AppError `identity-failed`, or why no answer came. */
  readonly container: () => Promise<AwsCredentialIdentity>;
  /** Throws AppError `no-identity` with why there are none, within 0.7 s. The profile's section may say where to ask. */
  readonly instance: (section: Section | undefined) => Promise<AwsCredentialIdentity>;
}

/**
 * @param countdown for a minute a metadata service that did not answer is not asked again
 * @param handler is given the requests, with a signal that ends them
 */
export function createMachine(env: Environment, countdown: Countdown, handler: HttpHandler): Machine {
  const container = createContainer(env, handler);
  let absent: { readonly why: AppError; readonly leftMs: () => number } | undefined;

  async function instance(section: Section | undefined): Promise<AwsCredentialIdentity> {
    if (/^true$/i.test(env.AWS_EC2_METADATA_DISABLED ?? "")) {
      throw new AppError("no-identity", "instance metadata, which AWS_EC2_METADATA_DISABLED turns off");
    }
    if (absent !== undefined && absent.leftMs() > 0) throw absent.why;
    try {
      return await askInstance(handler, instanceService(env, section), AbortSignal.timeout(INSTANCE_DEADLINE_MS));
    } catch (cause) {
      const said = noAnswerOf(cause)?.what ?? (cause instanceof Error ? withoutSecrets(cause.message) : "no answer");
      const why = new AppError("no-identity", `instance metadata (${said})`, { cause });
      absent = { why, leftMs: countdown(INSTANCE_ABSENT_MS) };
      throw why;
    }
  }

  return { containerVariable: container.variable, container: container.read, instance };
}
