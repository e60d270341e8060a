import { fromIni } from "@aws-sdk/credential-providers";
import type { ClientSettings } from "./client-settings.ts";
import type { IdentityFiles } from "./identity-files.ts";
import type { AwsCredentialIdentity } from "./types.ts";
import { type Outcome, watchedHandler } from "./watched-handler.ts";

/**
 * Credentials of a profile that is left to the SDK, such as one of `aws login`.
 *
 * @returns rejects with what the SDK throws, or with why nobody could be asked
 */
export async function otherCredentials(
  { files, settings }: { readonly files: IdentityFiles; readonly settings: ClientSettings },
  name: string,
): Promise<AwsCredentialIdentity> {
  let last: Outcome | undefined;
  const requestHandler = watchedHandler(settings.inner.requestHandler, (outcome) => {
    last = outcome;
  });
  const clientConfig = { ...settings.inner, requestHandler };
  const source = { filepath: files.credentials, configFilepath: files.config };
  try {
    return await fromIni({ ...source, profile: name, clientConfig, parentClientConfig: clientConfig })();
  } catch (error) {
    throw last?.failure ?? error;
  }
}
