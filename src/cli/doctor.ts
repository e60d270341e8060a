import { type Command, Option } from "commander";
import type { DoctorRequest } from "../commands/doctor-request.ts";

const DOCTOR_HELP = `
Changes nothing. --start-containers lets it start a container for some seconds on each network, which asks as yours
would; its image has to be there. Every finding and its remedy: docs/doctor.md

Exit codes: 0 no problem, 1 a problem, 2 wrong usage or configuration,
130 ended by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP`;

/** Adds `doctor`, and gives what the command line asks of it to `choose`. */
export function addDoctor(program: Command, choose: (request: DoctorRequest) => void): void {
  program
    .command("doctor")
    .description("find what keeps containers from credentials and metadata, and say what to do")
    .option("--json", "as JSON")
    .option("--offline", "as for the server")
    .option("--port <port>", "the server's port")
    .option("--bind <address>", "the server's address")
    .option("--start-containers", "ask from inside of each network as well")
    .option("--image <name>", "with --start-containers: the image that asks (ecs-local-endpoints:dev unless given)")
    .addOption(new Option("--from-inside").hideHelp())
    .allowExcessArguments(false)
    .addHelpText("after", DOCTOR_HELP)
    .action((options: DoctorRequest) => choose(options));
}
