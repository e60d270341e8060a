import { AppError } from "../../errors.ts";

/** Set by browsers and by proxies: neither is a program in a container that asks for its own credentials. */
const FOREIGN_HEADERS = [
  "origin",
  "referer",
  "sec-fetch-site",
  "sec-fetch-mode",
  "sec-fetch-dest",
  "sec-fetch-user",
  "x-forwarded-for",
  "forwarded",
  "via",
];

/** Refuses what a browser or a proxy sent, with `forbidden`. */
// Asking for each by name costs Bun less than going through all that there are.
export function checkBrowser({ headers }: Request): void {
  for (const name of FOREIGN_HEADERS) {
    if (!headers.has(name)) continue;
    throw new AppError("forbidden", `The request carries ${name}, so a browser or a proxy sent it`, {
      hint: "ask directly from the container",
    });
  }
}
