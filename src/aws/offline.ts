import type { Credentials, NamedSource } from "./types.ts";

const LIFE_MS = 3_600_000;
const ACCOUNT = "111111111111";
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64 = `${BASE32.slice(0, 26)}abcdefghijklmnopqrstuvwxyz0123456789+/`;

/**
 * Dummy credentials for every request: well-formed, worth nothing, with an end that is real so that clients renew
 * them. Nothing here can open a connection.
 *
 * @param options.now milliseconds since 1970
 */
export function createOfflineSource(options: { readonly now: () => number }): NamedSource {
  const issue = async (roleArn: string): Promise<Credentials> => ({
    accessKeyId: `ASIA${random(BASE32, 16)}`,
    secretAccessKey: random(BASE64, 40),
    sessionToken: `offline/${random(BASE64, 248)}`,
    expiration: options.now() + LIFE_MS,
    roleArn,
  });
  return {
    version: () => "offline",
    session: () => issue(""),
    assume: (role) => issue(role.kind === "arn" ? role.arn : `arn:aws:iam::${ACCOUNT}:role/${role.id}`),
    whoami: async () => ({ origin: "dummy (offline)" }),
    warm: async () => {},
  };
}

function random(alphabet: string, length: number): string {
  let text = "";
  // Both alphabets have a power of two of letters, so that no letter is likelier.
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) text += alphabet[byte % alphabet.length];
  return text;
}
