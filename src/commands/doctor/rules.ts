import type { Standing } from "../network-status.ts";
import { type Finding, failed, finding } from "./finding.ts";

/** What of the rules of `network up` can be seen. */
export type RuleFacts =
  | { readonly kind: "never" }
  | { readonly kind: "unseen"; readonly why: string }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "seen"; readonly standing: Standing };

const UP = "run: sudo ecs-local-endpoints network up";

/** Whether what `network up` made still stands. */
export function checkRules(facts: RuleFacts): Finding {
  if (facts.kind === "never") {
    return finding("rules", "ok", "network up was not run; a container at 169.254.170.2 needs none of it");
  }
  if (facts.kind === "unseen") return finding("rules", "warning", facts.why, "run doctor with sudo to see them");
  if (facts.kind === "failed") return failed("rules", "warning", facts.error);
  const { lines, left } = facts.standing;
  const missing = lines.filter(({ stands }) => !stands);
  if (missing.length === 0 && left.length === 0) {
    return finding("rules", "ok", `all ${lines.length} things that network up made stand`);
  }
  if (missing.length === 0) return finding("rules", "warning", left.join(", "), UP);
  const first = missing[0]?.what ?? "";
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  const amount = missing.length === lines.length ? "none of what network up made stands" : "network up stands by half";
  return finding("rules", "problem", `${amount}: missing is ${first}${more}`, UP);
}
