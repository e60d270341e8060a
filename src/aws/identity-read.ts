import { readFile, stat } from "node:fs/promises";
import { externalDataInterceptor, parseKnownFiles } from "@smithy/core/config";
import { AppError } from "../errors.ts";
import type { IdentityFiles } from "./identity-files.ts";
import type { Profiles } from "./identity-sections.ts";

interface Read {
  readonly profiles: Profiles;
  /** The files, for a sentence, each with whether it is missing. */
  readonly looked: string;
  /** Why a file that is there was not read. The profiles lack what is in it. */
  readonly failure: AppError | undefined;
}

interface Text {
  readonly path: string;
  /** Undefined where there is no such file. */
  readonly text?: string;
  readonly failure?: AppError;
}

/**
 * Reads the profiles. The SDK takes a file that it cannot read for an empty one, so it is given what we read, here and
 * whenever it looks itself.
 *
 * @returns with `failure` an AppError `identity-failed`
 */
export async function readProfiles(files: IdentityFiles): Promise<Read> {
  const texts = await Promise.all([files.config, files.credentials].map(textOf));
  for (const { path, text } of texts) externalDataInterceptor.interceptFile(path, text ?? "");
  const looked = texts.map(({ path, text }) => (text === undefined ? `${path} (missing)` : path)).join(" and ");
  const profiles = await parseKnownFiles({ filepath: files.credentials, configFilepath: files.config });
  return { profiles, looked, failure: texts.find(({ failure }) => failure !== undefined)?.failure };
}

async function textOf(path: string): Promise<Text> {
  try {
    const facts = await stat(path);
    // Who names /dev/null wants none.
    if (facts.isCharacterDevice()) return { path, text: "" };
    // A read of it could wait for ever, and would find nothing the second time.
    if (facts.isFIFO()) return { path, failure: unreadable(path, "a pipe") };
    return { path, text: await readFile(path, "utf8") };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ENOTDIR") return { path };
    return { path, failure: unreadable(path, code ?? "no reason given", error) };
  }
}

function unreadable(path: string, why: string, cause?: unknown): AppError {
  const hint = "make it a file that the server's user may read, or remove it";
  return new AppError("identity-failed", `the AWS file ${path} cannot be read (${why})`, { hint, cause });
}
