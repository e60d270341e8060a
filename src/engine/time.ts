/** RFC 3339 in UTC with the fraction's trailing zeros cut, as the agent writes it; the zero time counts as missing. */
export function toTime(time: string | null | undefined): string | undefined {
  if (!time || time.startsWith("0001-01-01")) return undefined;
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time);
  if (!parts) return undefined;
  const [, whole, fraction, zone] = parts;
  // Podman writes local time. Only the whole seconds go through Date, which would cut the fraction to milliseconds.
  const instant = new Date(`${whole}${zone}`);
  if (Number.isNaN(instant.getTime())) return undefined;
  const seconds = zone === "Z" ? whole : instant.toISOString().replace(/\..*$/, "");
  const digits = (fraction ?? "").slice(0, 9).replace(/0+$/, "");
  return digits === "" ? `${seconds}Z` : `${seconds}.${digits}Z`;
}

/** RFC 3339 as nanoseconds since 1970, all nine digits of the fraction; undefined for the zero time or any other text. */
export function toNanoseconds(time: string | null | undefined): bigint | undefined {
  const utc = toTime(time);
  if (utc === undefined) return undefined;
  const [whole = "", fraction = ""] = utc.slice(0, -1).split(".");
  return BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
