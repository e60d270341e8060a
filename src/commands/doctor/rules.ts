import type { Asked } from "../../network/state.ts";
import type { Standing } from "../../network/status.ts";
import { type Finding, failed, finding } from "./finding.ts";
import type { Commands } from "./remedies.ts";

/** What of the rules of `network up` can be seen. */
export type RuleFacts =
  | { readonly kind: "never" }
  /** From inside of a container, which has not the machine's own folder of it. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "unseen"; readonly why: string }
  | { readonly kind: "failed"; readonly error: unknown }
  | {
      readonly kind: "seen";
      readonly standing: Standing;
      /** What the rules say that `network up` was told, where its state is lost. */
      readonly asked?: Asked | undefined;
    };

/** Whether what `network up` made still stands. */
export function checkRules(facts: RuleFacts, { networkUp, doctorAsRoot }: Commands): Finding {
  if (facts.kind === "never") {
    return finding("rules", "ok", "network up was not run; a container at 169.254.170.2 needs none of it");
  }
  if (facts.kind === "elsewhere") {
    return finding("rules", "ok", "not seen from inside of a container; one at 169.254.170.2 needs none of them");
  }
  if (facts.kind === "unseen") return finding("rules", "warning", facts.why, `to see them, run: ${doctorAsRoot}`);
  if (facts.kind === "failed") return failed("rules", "warning", facts.error);
  const up = `run: ${networkUp ?? "sudo ecs-local-endpoints network down"}`;
  const { lines, left } = facts.standing;
  const missing = lines.filter(({ stands }) => !stands);
  if (missing.length === 0 && left.length === 0) {
    return finding("rules", "ok", `all ${lines.length} things that network up made stand`);
  }
  if (missing.length === 0) return finding("rules", "warning", left.join(", "), up);
  const first = missing[0]?.what ?? "";
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  const amount = missing.length === lines.length ? "none of what network up made stands" : "network up stands by half";
  return finding("rules", "problem", `${amount}: missing is ${first}${more}`, up);
}
