export type JsonObject = Record<string, unknown>;

interface RawNumber {
  readonly rawJSON: string;
}

/** Of ECMAScript 2026; TypeScript's types do not have them yet. */
const json = JSON as unknown as {
  readonly parse: (
    text: string,
    revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ) => unknown;
  readonly rawJSON: (text: string) => RawNumber;
  readonly isRawJSON: (value: unknown) => value is RawNumber;
};

/**
 * JSON with every number as the digits that it was written with, which `JSON.stringify` writes again: the engine's
 * counters are unsigned 64-bit, and 18446744073709551615 read as a number is written as 18446744073709552000.
 *
 * @throws SyntaxError for what is no JSON, and RangeError for what is nested some thousand times
 */
export function parseWithDigits(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? json.rawJSON(source) : value,
  );
}

/** A counter of such a document; undefined for anything else. */
export function toCounter(value: unknown): bigint | undefined {
  return json.isRawJSON(value) && /^\d+$/.test(value.rawJSON) ? BigInt(value.rawJSON) : undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !json.isRawJSON(value);
}
