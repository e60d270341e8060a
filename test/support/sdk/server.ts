import { startBinary } from "../binary.ts";

/** The audit of one request for credentials. */
export interface Audit {
  readonly path: string;
  readonly role?: string;
  readonly outcome: string;
}

/**
 * The compiled program as a developer has it who has long-lived keys, with STS and IAM at `url`.
 *
 * @param env more of it; with an `AWS_PROFILE` there are no keys
 */
export async function startServer(url: string, env: Record<string, string> = {}, options: { by?: string[] } = {}) {
  const keys = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "long-lived" };
  const settings = {
    DOCKER_HOST: "unix:///nonexistent.sock",
    STS_ENDPOINT: url,
    IAM_ENDPOINT: url,
    ECS_LOCAL_LOG_LEVEL: "debug",
    ECS_LOCAL_LOG_FORMAT: "json",
    ...(env.AWS_PROFILE === undefined && keys),
  };
  const server = await startBinary({ ...settings, ...env }, options);
  return {
    ...server,
    /** What was asked so far, in order. */
    async audit(): Promise<Audit[]> {
      // The log is written 50 ms late at most.
      await Bun.sleep(100);
      const lines = server.log().trim().split("\n");
      return lines.map((line) => JSON.parse(line)).filter(({ outcome }) => outcome !== undefined);
    },
  };
}
