import type { AwsConfig } from "../config/aws.ts";
import type { Environment } from "../config/config.ts";
import { createChangeDetector } from "./change-detector.ts";
import type { NamedSource } from "./types.ts";

/**
 * Credentials from AWS, with the SDK loaded on first need: the one dynamic import of the program, which halves the
 * time to start.
 *
 * @param options.now milliseconds since 1970
 * @param options.processTimeoutMs for a credential_process, which is killed then; 50 s unless given
 */
export function createOnlineSource(options: {
  readonly config: AwsConfig;
  readonly env: Environment;
  readonly now: () => number;
  readonly processTimeoutMs?: number;
}): NamedSource {
  const version = createChangeDetector(options);
  const load = async (): Promise<NamedSource> => {
    const { createAwsSource } = await import("./source.ts");
    return createAwsSource({ ...options, version });
  };
  return lazySource(version, load);
}

/** A source that is made by `load` on first need, and again if that failed. */
function lazySource(version: () => string, load: () => Promise<NamedSource>): NamedSource {
  let loading: Promise<NamedSource> | undefined;

  async function loaded(): Promise<NamedSource> {
    loading ??= load();
    try {
      return await loading;
    } catch (error) {
      loading = undefined;
      throw error;
    }
  }

  return {
    version,
    session: async () => (await loaded()).session(),
    assume: async (role, sessionName) => (await loaded()).assume(role, sessionName),
    whoami: async () => (await loaded()).whoami(),
    // The first call that needs it reports the error.
    warm: () =>
      loaded().then(
        () => {},
        () => {},
      ),
  };
}
