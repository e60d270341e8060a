import { stampOf } from "../config/watched-files.ts";

/** What tells that a file has changed, without reading it. */
export interface Stamps {
  /** Differs once the file has changed by somebody else's hand. `-` where there is none. */
  readonly of: (path: string) => string;
  /** What happens to the file until `done` is ours: it is not shown as a change. */
  readonly ownWrite: (path: string) => { readonly done: () => void };
}

/** Stamps of files. The SDK rewrites a token that it refreshed, which must not cost us what is cached. */
export function createStamps(): Stamps {
  const held = new Map<string, string>();
  const ours = new Map<string, { readonly is: string; readonly shownAs: string }>();

  function of(path: string): string {
    const shown = held.get(path);
    if (shown !== undefined) return shown;
    const is = stampOf(path);
    const own = ours.get(path);
    return own?.is === is ? own.shownAs : is;
  }

  function ownWrite(path: string) {
    const shownAs = of(path);
    held.set(path, shownAs);
    return {
      done: () => {
        held.delete(path);
        ours.set(path, { is: stampOf(path), shownAs });
      },
    };
  }

  return { of, ownWrite };
}
