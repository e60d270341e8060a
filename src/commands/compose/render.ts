import { TASK_ADDRESS } from "../../engine/ip-address.ts";
import { oneLine, shellWords, yamlString } from "../../text.ts";
import { WRITTEN_BY } from "./find-files.ts";
import type { ServicePlan } from "./plan.ts";
import { NETWORK, SERVER, SERVER_FILE, type ServerOptions, SUBNET } from "./server-service.ts";

/** Passed on from where docker compose runs. */
const PASSED = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"];
const KEYS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/**
 * The override file.
 *
 * @param server undefined: it runs elsewhere, and its network is there
 * @param standard the variables that most services have
 * @param command the line that uses the file
 */
export function overrideText(
  plans: readonly ServicePlan[],
  standard: Readonly<Record<string, string>>,
  server: ServerOptions | undefined,
  command: string,
): string {
  const needs = server === undefined ? [`# The server's own project comes first: ${serverCommand(SERVER_FILE)}`] : [];
  const services = [
    ...(server === undefined ? [] : serverLines(server, [])),
    ...plans.flatMap((plan) => serviceLines(plan, standard, server !== undefined)),
  ];
  return [
    `${WRITTEN_BY}, and an ordinary file from now on: read it, change it, keep it.`,
    `#   ${oneLine(command)}`,
    ...needs,
    "",
    "# What Amazon ECS sets in a container. /role/<name> instead of /creds gives a role.",
    `x-${NETWORK}: &${NETWORK}`,
    ...variableLines(standard, "  "),
    "",
    // Null is not a map of services.
    services.some((line) => /^ +[^# ]/.test(line)) ? "services:" : "services: {}",
    ...services,
    "",
    "networks:",
    // Compose makes it by itself only for a service that has no network_mode, be it an empty one.
    ...(plans.some(({ networks }) => networks?.includes("default")) ? ["  default: {}"] : []),
    ...networkLines(server !== undefined),
    "",
  ].join("\n");
}

/**
 * A project of its own for a server that several projects share.
 *
 * @param file its name
 */
export function serverText(server: ServerOptions, file: string): string {
  return [
    `${WRITTEN_BY} --server, and an ordinary file from now on: read it, change it, keep it.`,
    `#   ${oneLine(serverCommand(file))}`,
    "# Each project that uses it: ecs-local-endpoints compose --join",
    `name: ${SERVER}`,
    "",
    "services:",
    ...serverLines(server, ["    restart: unless-stopped"]),
    "",
    "networks:",
    ...networkLines(true),
    "",
  ].join("\n");
}

/** The line that starts it, with its name: COMPOSE_PROJECT_NAME would win over the file's. */
export function serverCommand(file: string): string {
  return shellWords(["docker", "compose", "-p", SERVER, "-f", file, "up", "-d"]);
}

function serverLines(server: ServerOptions, more: readonly string[]): string[] {
  const { image, socket, hasAwsFolder, hasKeys, isOffline } = server;
  const home = '      - "~/.aws:/home/.aws:ro"';
  return [
    `  ${SERVER}:`,
    `    image: ${scalar(image)}`,
    "    read_only: true",
    '    security_opt: ["no-new-privileges:true"]',
    ...more,
    "    environment:",
    "      # Without a value: as it is where docker compose runs.",
    ...(hasKeys
      ? []
      : ["      # Keys may be passed on likewise: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN."]),
    ...[...PASSED, ...(hasKeys ? KEYS : [])].map((name) => `      ${name}:`),
    `      ECS_LOCAL_OFFLINE:${isOffline ? ' "1"' : ""}`,
    "    volumes:",
    "      # It reads what runs. Whoever has this socket is root on the machine: give it to nothing else.",
    `      - ${scalar(`${socket}:/var/run/docker.sock`)}`,
    ...(hasAwsFolder
      ? [home]
      : ["      # There was no ~/.aws to read your identity from.", home.replace("- ", "# - ")]),
    "    networks:",
    `      ${NETWORK}: { ipv4_address: ${TASK_ADDRESS} }`,
    `      ${NETWORK}-aws: {}`,
  ];
}

function serviceLines(plan: ServicePlan, standard: Readonly<Record<string, string>>, hasServer: boolean): string[] {
  const { name, networks, variables, remarks } = plan;
  const comments = ["", ...remarks.map((remark) => oneLine(`  # ${name} ${remark}`))];
  if (variables === undefined) return comments;
  const body = [
    ...environmentLines(variables, standard),
    ...(networks === undefined
      ? []
      : ["    networks:", ...networks.map((of) => `      ${scalar(of)}: {}`), `      ${NETWORK}: { priority: -1 }`]),
    ...(hasServer ? ["    depends_on:", `      ${SERVER}: { condition: service_started }`] : []),
  ];
  return body.length === 0 ? comments : [...comments, `  ${scalar(name)}:`, ...body];
}

function environmentLines(variables: Readonly<Record<string, string>>, standard: Readonly<Record<string, string>>) {
  const names = Object.keys(variables);
  const differing = names.filter((name) => variables[name] !== standard[name]);
  if (names.length === 0) return [];
  if (Object.keys(standard).some((name) => variables[name] === undefined)) {
    return ["    environment:", ...variableLines(variables, "      ")];
  }
  if (differing.length === 0) return [`    environment: *${NETWORK}`];
  const own = Object.fromEntries(differing.map((name) => [name, variables[name] ?? ""]));
  return ["    environment:", `      <<: *${NETWORK}`, ...variableLines(own, "      ")];
}

function networkLines(isOurs: boolean): string[] {
  if (!isOurs) return [`  ${NETWORK}:`, "    external: true", `    name: ${NETWORK}`];
  return [
    "  # Internal: it changes no container's route to the internet. The range reserves the server's address.",
    `  ${NETWORK}:`,
    `    name: ${NETWORK}`,
    "    internal: true",
    "    ipam:",
    "      config:",
    `        - { subnet: ${SUBNET}, gateway: 169.254.170.1, ip_range: 169.254.170.128/25 }`,
    "  # The server's way to AWS.",
    `  ${NETWORK}-aws: {}`,
  ];
}

function variableLines(variables: Readonly<Record<string, string>>, indent: string): string[] {
  return Object.entries(variables).map(([name, value]) => `${indent}${name}: ${scalar(value)}`);
}

/** A YAML scalar on one line. Compose expands `$` in values. */
function scalar(text: string): string {
  return yamlString(text.replaceAll("$", "$$$$"));
}
