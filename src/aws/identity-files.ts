import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../config/config.ts";

/** The files of the AWS command line that describe an identity; none of them need exist. */
export interface IdentityFiles {
  readonly config: string;
  readonly credentials: string;
  /** The folders where `aws sso login` and `aws login` keep what they got. */
  readonly ssoCache: string;
  readonly loginCache: string;
}

/**
 * @param env `HOME`, `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` count; a leading `~/` in them is the home
 * @returns the paths, by the rules of the SDK
 */
export function identityFiles(env: Environment): IdentityFiles {
  const home = env.HOME || env.USERPROFILE || homedir();
  const expand = (path: string): string => (path.startsWith("~/") ? join(home, path.slice(2)) : path);
  return {
    config: expand(env.AWS_CONFIG_FILE || "~/.aws/config"),
    credentials: expand(env.AWS_SHARED_CREDENTIALS_FILE || "~/.aws/credentials"),
    ssoCache: join(home, ".aws", "sso", "cache"),
    loginCache: join(home, ".aws", "login", "cache"),
  };
}
