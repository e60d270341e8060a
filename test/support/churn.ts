import { askScript, parseAnswer } from "./ask.ts";
import type { Network, RealEngine } from "./real-engine.ts";

export interface First {
  readonly id: string;
  /** The two answers, in order. */
  readonly answers: readonly {
    readonly status: number;
    readonly dockerId: unknown;
    readonly text: string;
    readonly ms: number;
  }[];
}

export interface ChurnOptions {
  readonly network: Network;
  readonly port: number;
  readonly count: number;
  readonly atATime: number;
  readonly prefix: string;
}

const ANSWERS = 2;

/** Starts containers that ask twice the moment they run and then end, `atATime` together. */
export async function churn(engine: RealEngine, options: ChurnOptions): Promise<First[]> {
  const results: First[] = [];
  const { gateway } = options.network;
  // The shell has no clock finer than 10 ms; adjtimex prints the microseconds.
  const clock = "echo '#clock'; busybox adjtimex";
  const question = `echo '#answer'; ${askScript(gateway, options.port, "/v3")}; echo`;
  const command = ["sh", "-c", [clock, ...Array(ANSWERS).fill([question, clock]).flat()].join("; ")];
  let next = 0;

  async function worker(): Promise<void> {
    while (next < options.count) {
      next += 1;
      const id = await engine.run({ name: `${options.prefix}-${next}`, network: options.network, command });
      await engine.wait(id);
      results.push({ id, answers: parse(await engine.output(id)) });
      await engine.remove(id);
    }
  }

  await Promise.all(Array.from({ length: options.atATime }, worker));
  return results;
}

function parse(output: string): First["answers"] {
  const clocks = [...output.matchAll(/time\.tv_sec:\s*(\d+)\s*time\.tv_usec:\s*(\d+)/g)].map(
    ([, seconds, micros]) => Number(seconds) * 1_000 + Number(micros) / 1_000,
  );
  return output
    .split("#answer\n")
    .slice(1)
    .map((part, index) => {
      const raw = part.split("#clock")[0] ?? "";
      const { status, body } = parseAnswer(raw);
      const ms = (clocks[index + 1] ?? Number.NaN) - (clocks[index] ?? Number.NaN);
      return { status, dockerId: (body as { DockerId?: unknown }).DockerId, text: raw.slice(0, 600), ms };
    });
}
