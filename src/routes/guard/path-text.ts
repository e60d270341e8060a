import { AppError } from "../../errors.ts";

export const PATH_BYTES_MAX = 2_048;

/** Refuses a path of over 2 KiB, and one that cannot be decoded, with `bad-path`. */
export function checkPath(_request: Request, path: string): void {
  if (path.length > PATH_BYTES_MAX) {
    throw new AppError("bad-path", `The path has ${path.length} bytes, more than ${PATH_BYTES_MAX}`, {
      hint: "see which variable of the container it is made of",
    });
  }
  if (!path.includes("%")) return;
  try {
    decodeURIComponent(path);
  } catch (cause) {
    throw new AppError("bad-path", "The path cannot be decoded: a % in it is not followed by two digits of UTF-8", {
      hint: "write a % that stands for itself as %25",
      cause,
    });
  }
}
