import type { Command } from "commander";
import type { NetworkRequest } from "../network/options.ts";
import { addHelp } from "./help.ts";

const NETWORK_HELP = `
up asks the engine for its bridges unless --bridge names them; it may be run again at any time, and makes what
stands equal to what it was asked. What it does, and why: docs/network.md

Exit codes: 0 done, or all stands; 1 failed, or something is missing; 2 wrong usage`;

export function addNetwork(program: Command, choose: (request: NetworkRequest) => void): void {
  const network = program
    .command("network")
    .description("lead 169.254.170.2:80 to the server on this machine (Linux, root)")
    .addHelpText("after", NETWORK_HELP);
  const add = (action: NetworkRequest["action"], description: string) =>
    network
      .command(action)
      .description(description)
      .allowExcessArguments(false)
      .action((options: Omit<NetworkRequest, "action">) => choose({ action, ...options }));
  const several = (name: string, before: string[] = []) => [...before, name];
  add("up", "make the rules, in one step or not at all")
    .option("--bridge <name>", "a bridge instead of the engine's; may be given several times", several)
    .option("--port <port>", "the server's port on 127.0.0.1 (51679 unless given)")
    .option("--loopback", "without iptables: give lo the address, for a server with --bind 169.254.170.2 --port 80")
    .option("--print", "print the commands and run none")
    .option("--print-unit", "print a systemd unit that runs this at each start of the machine");
  add("down", "take away what up made, and nothing else").option("--print", "print the commands and run none");
  add("status", "say what stands and what is missing")
    .option("--bridge <name>", "as for up; what up was told unless given", several)
    .option("--port <port>", "as for up")
    .option("--loopback", "as for up")
    .option("--json", "as JSON");
  addHelp(network);
}
