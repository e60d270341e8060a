import type { Caller } from "../engine/caller.ts";
import { type CallerOptions, createCallerRule } from "./guard/caller.ts";
import {
  checkBrowser,
  checkMethod,
  checkPath,
  createHostRule,
  type RequestRule,
  refuseOwnRequest,
} from "./guard/request.ts";

const RULES = ["own", "method", "path", "host", "browser", "caller"] as const;
export type RuleName = (typeof RULES)[number];

export interface GuardOptions {
  readonly allowedHosts: readonly string[];
  /** The names of our own container, in lower case. */
  readonly ownNames?: () => ReadonlySet<string>;
  /** Undefined in a test of something else: every caller is allowed. */
  readonly caller?: CallerOptions;
  /** Rules that a test switches off, to prove what they refuse. */
  readonly without?: readonly RuleName[];
}

/** The rules before every route. Each throws AppError with the value that is refused. */
export interface Guard {
  /** In one turn, before anything waits for the engine. */
  readonly checkRequest: RequestRule;
  readonly checkCaller: (caller: Caller, path: string) => void;
}

export function createGuard({ allowedHosts, ownNames = () => NO_NAMES, caller, without }: GuardOptions): Guard {
  const all: readonly (readonly [RuleName, RequestRule])[] = [
    ["own", refuseOwnRequest],
    ["method", checkMethod],
    ["path", checkPath],
    ["host", createHostRule(allowedHosts, ownNames)],
    ["browser", checkBrowser],
  ];
  const rules = all.filter(([name]) => !without?.includes(name)).map(([, rule]) => rule);
  const checkCaller = caller && !without?.includes("caller") ? createCallerRule(caller) : () => {};
  return {
    checkRequest(request, path) {
      for (const rule of rules) rule(request, path);
    },
    checkCaller,
  };
}

const NO_NAMES: ReadonlySet<string> = new Set();
