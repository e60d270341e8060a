import { type CallerOptions, createCallerRule } from "./guard/caller.ts";
import { checkBrowser, checkMethod, checkPath, createHostRule, refuseOwnRequest } from "./guard/request.ts";
import type { Rule } from "./guard/rule.ts";

/** In the order in which they are asked. */
const RULES = ["own", "method", "path", "caller", "host", "browser"] as const;
export type RuleName = (typeof RULES)[number];

export interface GuardOptions {
  readonly allowedHosts: readonly string[];
  /** The names of our own container, in lower case. */
  readonly ownNames?: () => ReadonlySet<string>;
  /** What the rule for callers knows. Undefined: it is not asked, as in a test of something else. */
  readonly caller?: CallerOptions;
  /** Rules that are switched off: for a test, to prove that what they stop would get through. */
  readonly without?: readonly RuleName[];
}

/** Throws AppError for a request that is refused, or rejects with it where that takes a wait: see {@link Rule}. */
export type Guard = Rule;

/** The rules that stand before every route, as one. Each throws an AppError that names what was refused. */
export function createGuard(options: GuardOptions): Guard {
  const made: Readonly<Record<RuleName, Rule | undefined>> = {
    own: refuseOwnRequest,
    method: checkMethod,
    path: checkPath,
    caller: options.caller && createCallerRule(options.caller),
    host: createHostRule(options.allowedHosts, options.ownNames ?? noNames),
    browser: checkBrowser,
  };
  const rules = RULES.filter((name) => !options.without?.includes(name)).flatMap((name) => made[name] ?? []);

  /** Asks the rules from one on. What needs no wait is answered in the same turn. */
  function askFrom(first: number, request: Request, path: string, address: string): void | Promise<void> {
    for (let index = first; index < rules.length; index += 1) {
      const asked = rules[index]?.(request, path, address);
      if (asked instanceof Promise) return asked.then(() => askFrom(index + 1, request, path, address));
    }
  }
  return (request, path, address) => askFrom(0, request, path, address);
}

const NO_NAMES: ReadonlySet<string> = new Set();
const noNames = () => NO_NAMES;
