import { networkInterfaces } from "node:os";
import { contract } from "../contract.ts";
import { startBinary } from "../support/binary.ts";

// On `::` the addresses of callers arrive as ::ffff:127.0.7.2, which the run in integration/ does not have.
const hasIpv6 = Object.values(networkInterfaces()).some((entries) => entries?.some(({ family }) => family === "IPv6"));

contract("the compiled binary on all addresses, offline", (dockerHost) =>
  startBinary({ DOCKER_HOST: dockerHost }, { args: ["--offline", "--bind", hasIpv6 ? "::" : "0.0.0.0"] }),
);
