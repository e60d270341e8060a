import { shellWords } from "../../text.ts";
import { type Finding, finding } from "./finding.ts";
import { canReach, type Routes, routeRemedy } from "./reachability.ts";
import type { Commands } from "./remedies.ts";
import type { RunningContainer } from "./running-containers.ts";

const RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const KEYS = ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"];
const V4 = "ECS_CONTAINER_METADATA_URI_V4";

/** Keys of the environment come before the endpoint in every SDK. */
export function checkHiddenEndpoints(containers: readonly RunningContainer[]): readonly Finding[] {
  const found = containers.flatMap(({ name, variables }) =>
    KEYS.filter((key) => variables.has(key)).map((key) => {
      const endpoint = [RELATIVE, FULL].find((one) => variables.has(one));
      const remedy = `remove ${key} from the container's environment, and make it again`;
      return endpoint === undefined
        ? finding("hidden-endpoint", "warning", `container ${name} has ${key}: it would not ask the endpoint`, remedy)
        : finding("hidden-endpoint", "problem", `container ${name} has ${key}, which hides ${endpoint}`, remedy);
    }),
  );
  return found.length > 0
    ? found
    : [finding("hidden-endpoint", "ok", "no running container has keys of its own that hide the endpoint")];
}

/** SDKs differ in which one they take. */
export function checkTwoEndpoints(containers: readonly RunningContainer[]): readonly Finding[] {
  const found = containers
    .filter(({ variables }) => variables.has(RELATIVE) && variables.has(FULL))
    .map(({ name }) =>
      finding(
        "two-endpoints",
        "warning",
        `container ${name} has both ${RELATIVE} and ${FULL}: most SDKs take the first, that for Go the second`,
        `remove ${FULL} from the container's environment, or the other, and make it again`,
      ),
    );
  return found.length > 0
    ? found
    : [finding("two-endpoints", "ok", `no running container has both ${RELATIVE} and ${FULL}`)];
}

/** The relative form is always asked at 169.254.170.2. */
export function checkRoutes(
  containers: readonly RunningContainer[],
  routes: Routes,
  commands: Commands,
): readonly Finding[] {
  const asking = containers.filter(({ variables }) => variables.has(RELATIVE));
  const found = asking
    .filter((container) => !canReach(container, routes))
    .map(({ name, networks, networkMode }) =>
      finding(
        "no-route",
        "problem",
        `container ${name} has ${RELATIVE} and is on no network that reaches 169.254.170.2 (${networks.map((one) => one.name).join(", ") || networkMode})`,
        routeRemedy(routes, commands.networkUp, {
          join: (home) => joinBy(networkMode, home, name, commands.engine),
          isRulesToo:
            networkMode === "host" ||
            routes.networks.some(({ network, internal }) => !internal && networks.some((one) => one.name === network)),
        }),
      ),
    );
  if (found.length > 0) return found;
  return [finding("no-route", "ok", `each container with ${RELATIVE} (${asking.length}) has a route to 169.254.170.2`)];
}

/** An engine joins no network to a container that has none of its own. */
function joinBy(networkMode: string, home: string, name: string, engine: string): string {
  const on = `on the network ${shellWords([home])}`;
  if (networkMode.startsWith("container:")) return `put the container whose network it shares ${on}`;
  if (networkMode === "host" || networkMode === "none") return `make it again ${on}`;
  return `run: ${engine} ${shellWords(["network", "connect", home, name])}`;
}

/** A client that is given version 3 for version 4 works, with fewer fields. */
export function checkMetadataVersion(containers: readonly RunningContainer[]): readonly Finding[] {
  const found = containers.flatMap(({ name, endpoints }) => {
    const path = URL.parse(endpoints.get(V4) ?? "")?.pathname;
    if (path === undefined || !/^\/v3(\/|$)/.test(path)) return [];
    return finding(
      "metadata-version",
      "warning",
      `container ${name} has ${V4} with a path of version 3, which works but has fewer fields`,
      `set ${V4} to http://169.254.170.2/v4: version 4 is there`,
    );
  });
  return found.length > 0
    ? found
    : [finding("metadata-version", "ok", `no running container has ${V4} with a path of version 3`)];
}
