/** What a client expects of a field: the words for it, and whether a value is that. */
export interface Kind {
  readonly words: string;
  readonly fits: (value: unknown) => boolean;
}

/**
 * Fields by their place in a document, whose steps are parted by slashes. The step `*` is each item of a list or object,
 * of which there has to be one; `*?` each if there are any.
 */
export type Fields = Readonly<Record<string, Kind>>;

const kind = (words: string, fits: (value: unknown) => boolean): Kind => ({ words, fits });
const matching = (words: string, pattern: RegExp) =>
  kind(words, (value) => typeof value === "string" && pattern.test(value));

export const text = matching("a text that is not empty", /./s);
export const number = kind("a number", (value) => typeof value === "number");
/** As Go, Rust and Java decode it: no fraction, no exponent, in 64 bits. See {@link parseExactly}. */
export const unsigned = kind(
  "an unsigned integer of 64 bits",
  (value) => (typeof value === "bigint" && value < 2n ** 64n) || (Number.isSafeInteger(value) && Number(value) >= 0),
);
export const integer = kind("an integer", (value) => Number.isSafeInteger(value));
export const time = matching("a time of RFC 3339", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/);
/** Clients split it at its colons and read the fourth and fifth part; some look for `arn:aws:ecs:`, some for a slash. */
export const arn = matching("an ARN of ECS with account and path", /^arn:aws:ecs:[a-z0-9-]+:\d{12}:[a-z-]+\/.+$/);
export const address = matching("an IPv4 address", /^\d+\.\d+\.\d+\.\d+$/);
export const cidr = matching("an IPv4 subnet", /^\d+\.\d+\.\d+\.\d+\/\d+$/);
export const zone = matching("an availability zone", /^[a-z]{2}(-[a-z]+)+-\d[a-z]$/);
export const boolean = kind("true or false", (value) => typeof value === "boolean");
export const status = oneOf("NONE", "CREATED", "RUNNING", "STOPPED");

export function oneOf(...values: readonly string[]): Kind {
  return kind(`one of ${values.join(", ")}`, (value) => values.includes(value as string));
}

/** May be absent, and then is neither null nor empty: what is there must fit. */
export function maybe(what: Kind): Kind {
  return kind(`${what.words}, or absent`, (value) => value === undefined || what.fits(value));
}

export function orNull(what: Kind): Kind {
  return kind(`${what.words}, or null`, (value) => value === null || what.fits(value));
}

/** JSON, with each integer that a number cannot hold as a bigint of its own digits. */
export function parseExactly(json: string): unknown {
  const keep = (_key: string, value: unknown, { source }: { source: string }) =>
    typeof value === "number" && /^\d+$/.test(source) && !Number.isSafeInteger(value) ? BigInt(source) : value;
  return JSON.parse(json, keep as Parameters<typeof JSON.parse>[1]);
}

/** What of a document is not as a client needs it, a line for each value. */
export function misfits(document: unknown, fields: Fields): string[] {
  return Object.entries(fields).flatMap(([place, { words, fits }]) => {
    const found = valuesAt(document, place.split("/"));
    if (found.length === 0 && !place.includes("*?")) return [`${place} is nowhere, and should be ${words}`];
    return found
      .filter(([, value]) => !fits(value))
      .map(([where, value]) => `${where} is ${show(value)}, and should be ${words}`);
  });
}

/** Each value at a place. A field that an item lacks is undefined; where there is no item, there is no value. */
function valuesAt(value: unknown, [step, ...rest]: readonly string[], where = ""): [where: string, value: unknown][] {
  if (step === undefined) return [[where, value]];
  const inner = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const keys = step.startsWith("*") ? Object.keys(inner) : [step];
  return keys.flatMap((key) => valuesAt(inner[key], rest, where === "" ? key : `${where}/${key}`));
}

function show(value: unknown): string {
  return typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "absent");
}
