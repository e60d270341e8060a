import { withoutUserinfo } from "../text.ts";

export interface AwsConfig {
  readonly stsEndpoint: string | undefined;
  readonly iamEndpoint: string | undefined;
  /** Region of `AWS_REGION` or `AWS_DEFAULT_REGION`; the profile's region and then us-east-1 stand in for it. */
  readonly region: string | undefined;
  /** The lifetime, in seconds, that we state for our own temporary credentials without a known expiration. */
  readonly sharedTokenExpirationSeconds: number;
  /** Life in seconds that STS is asked for; 3600 unless set. */
  readonly sessionDurationSeconds?: number;
  /** What `ECS_LOCAL_ROLES` says of roles, by name, path/name, ARN or `*`. */
  readonly roles?: ReadonlyMap<string, RoleOptions>;
}

/** How a role is to be assumed, where that differs from the rest. */
export interface RoleOptions {
  readonly externalId?: string;
  readonly sessionTags?: Readonly<Record<string, string>>;
  /** Those of the tags that the sessions of further roles inherit. */
  readonly transitiveTagKeys?: readonly string[];
  readonly durationSeconds?: number;
  readonly sessionName?: string;
}

/**
 * Reads how AWS is asked.
 *
 * @param read gives a variable's text, trimmed, or undefined if it is unset or empty
 * @param problems takes a sentence for each value that cannot be used
 */
export function readAws(read: (name: string) => string | undefined, problems: string[]): AwsConfig {
  const url = (...names: string[]): string | undefined => {
    const name = names.find((candidate) => read(candidate) !== undefined);
    const value = name && read(name);
    if (name && value && !/^https?:$/.test(URL.parse(value)?.protocol ?? "")) {
      problems.push(
        `${name} is '${withoutUserinfo(value)}', which is not an http or https URL such as http://localstack:4566`,
      );
    }
    return value;
  };

  return {
    stsEndpoint: url("STS_ENDPOINT", "STS_CUSTOM_ENDPOINT", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"),
    iamEndpoint: url("IAM_ENDPOINT", "IAM_CUSTOM_ENDPOINT", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL"),
    region: read("AWS_REGION") ?? read("AWS_DEFAULT_REGION"),
    sharedTokenExpirationSeconds: parseLife(read("SHARED_TOKEN_EXPIRATION"), problems),
    sessionDurationSeconds: parseDuration(read("ECS_LOCAL_SESSION_DURATION"), problems),
  };
}

/** The bounds of STS for the session of a role. */
function parseDuration(value: string | undefined, problems: string[]): number {
  if (value === undefined) return 3600;
  const seconds = /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN;
  if (seconds >= 900 && seconds <= 43_200) return seconds;
  problems.push(
    `ECS_LOCAL_SESSION_DURATION is '${value}', which is not a whole number of seconds from 900 to 43200, such as 3600`,
  );
  return 3600;
}

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  ns: 1e-9,
};

/** A Go duration (`12m30s`) or plain seconds, as the reference takes SHARED_TOKEN_EXPIRATION. */
function parseLife(value: string | undefined, problems: string[]): number {
  if (value === undefined) return 750;
  let seconds = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (/^(\d+(\.\d+)?(h|ms|m|s|us|µs|ns))+$/.test(value)) {
    seconds = 0;
    for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g)) {
      seconds += Number(amount) * (SECONDS_PER_UNIT[unit ?? "s"] ?? 1);
    }
  }
  if (seconds >= 1 && seconds <= 43_200) return Math.floor(seconds);
  problems.push(
    `SHARED_TOKEN_EXPIRATION is '${value}', which is neither seconds (750) nor a duration (12m30s) between 1 s and 12 h`,
  );
  return 750;
}
