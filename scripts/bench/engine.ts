import { container, withComposeProject, withLabels } from "../../test/support/containers.ts";
import { startFakeEngine } from "../../test/support/fake-engine.ts";
import { network, withNetwork } from "../../test/support/networks.ts";
import { serveHelper } from "./helper.ts";

// Compose puts about this many on each container.
const labels = {
  "com.docker.compose.config-hash": "5b0cd34ac4ab0bd0c3ed9b2d5d0dd3a3a3ea5ab4f1ec0bb53a9a5ab3ee3b06d0",
  "com.docker.compose.container-number": "1",
  "com.docker.compose.oneoff": "False",
  "com.docker.compose.project.working_dir": "/srv/shop",
  "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
  "com.docker.compose.version": "2.40.3",
};

// All are members of one project, as in the measurement of the reference: its task body lists every container. Ten more
// are another project, whose task stats are asked for.
const shop = network({ name: "shop_default", subnet: "172.20.0.0/16", gateway: "172.20.0.1" });
const make = (project: string, third: number) => (_: unknown, index: number) => {
  const name = `${project}-service${index}-1`;
  const plain = container({ name, memoryBytes: 128 * 1024 * 1024, cpuShares: 256 });
  const labelled = withComposeProject(withLabels(plain, labels), project, `service${index}`);
  return withNetwork(labelled, shop, {
    ipv4: `172.20.${(index >> 8) + third}.${index & 255}`,
    aliases: [`service${index}`],
  });
};
const containers = [
  ...Array.from({ length: Number(process.argv[2]) }, make("shop", 1)),
  ...Array.from({ length: 10 }, make("ten", 100)),
];

const engine = startFakeEngine({ containers, networks: [shop] });
const calls = () => ({ pings: engine.count("/_ping"), others: engine.requests.length - engine.count("/_ping") });
serveHelper(engine.host, calls, () => engine.stop());
