import { type JsonObject, readJsonObject } from "../config/json-file.ts";
import { AppError } from "../errors.ts";
import { mergeOver } from "./overrides.ts";

/**
 * Reads a file of what a user puts over documents.
 *
 * @throws AppError `bad-configuration`, as `readJsonObject`, and where it is nested too deep to be merged and written
 */
export function readOverride(variable: string, path: string): JsonObject {
  const read = readJsonObject(variable, path);
  try {
    // The documents that it goes into have some levels of their own.
    JSON.stringify([[[[mergeOver(read, read)]]]]);
  } catch (cause) {
    const text = `${variable} is '${path}', which is nested too deep to be written into a document`;
    throw new AppError("bad-configuration", text, { cause });
  }
  return read;
}
