/** What a body asks for. A field that is `null` counts as left out. */
export interface ProtectionRequest {
  readonly enabled: boolean | undefined;
  readonly minutes: bigint | undefined;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

const NULL = /[ \t\r\n]*null/y;
const OPEN = /[ \t\r\n]*\{/y;
const CLOSE = /[ \t\r\n]*\}/y;
const NAME = /[ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*")[ \t\r\n]*:/sy;
const VALUE = /[ \t\r\n]*(true|false|null|-?(?:0|[1-9][0-9]*))/y;
const NEXT = /[ \t\r\n]*([,}])/y;
/** With `u` letters fold as Go folds them: the long s is an s. */
const ENABLED = /^ProtectionEnabled$/iu;
const MINUTES = /^ExpiresInMinutes$/iu;
const SHOWN_CHARACTERS_MAX = 40;

/**
 * Reads the body of a PUT as the agent's decoder does, Go's `encoding/json` (task-endpoints 8.1; each rule was tried
 * with it): names in any case, the last of two wins, integers of 64 bits and none with a fraction or an exponent, no
 * unknown field; what follows the first value is not looked at. `JSON.parse` tells neither a doubled name nor 60.0.
 *
 * @param text of which a byte order mark was not taken away: Go refuses it
 * @returns or a sentence that says why it cannot be read, without any value of it
 */
export function decodeProtection(text: string): ProtectionRequest | string {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  const request: { enabled: boolean | undefined; minutes: bigint | undefined } = {
    enabled: undefined,
    minutes: undefined,
  };
  if (take(NULL)) return request;
  if (!take(OPEN)) return "the body is no JSON object";
  if (take(CLOSE)) return request;
  for (;;) {
    const name = decodeName(take(NAME)?.[1]);
    if (name === undefined) return `the body is no JSON behind character ${at}`;
    const value = take(VALUE)?.[1];
    const isNumber = value !== undefined && /\d/.test(value);
    if (ENABLED.test(name)) {
      if (value === undefined || isNumber) return "ProtectionEnabled is neither true nor false";
      request.enabled = value === "null" ? undefined : value === "true";
    } else if (MINUTES.test(name)) {
      const minutes = isNumber ? BigInt(value) : undefined;
      const isInt64 = minutes !== undefined && minutes >= INT64_MIN && minutes <= INT64_MAX;
      if (!isInt64 && value !== "null") return "ExpiresInMinutes is no whole number";
      request.minutes = minutes;
    } else {
      return `the field '${name.slice(0, SHOWN_CHARACTERS_MAX)}' is not known`;
    }
    const next = take(NEXT)?.[1];
    if (next === "}") return request;
    if (next === undefined) return `the value of '${name}' is followed by neither a comma nor a brace`;
  }
}

function decodeName(encoded: string | undefined): string | undefined {
  try {
    return encoded && JSON.parse(encoded);
  } catch {
    return undefined;
  }
}
