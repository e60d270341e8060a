import type { Commands } from "../../src/commands/doctor/remedies.ts";

/** What remedies name on a machine with Docker and the program on its PATH. */
export const COMMANDS: Commands = {
  networkUp: "sudo ecs-local-endpoints network up",
  server: "ecs-local-endpoints --port 51679",
  doctorAsRoot: "sudo -E ecs-local-endpoints doctor",
  engine: "docker",
};
