import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseConfig } from "../../src/config/config.ts";
import { misnamedEndpoints, unknownVariables } from "../../src/config/unknown-variables.ts";
import { parseRole } from "../../src/credentials/role.ts";
import { readRoles } from "../../src/credentials/role-options.ts";
import { readMetadataPath } from "../../src/routes/metadata.ts";

const EXAMPLES = resolve(import.meta.dir, "../../examples");
const TASK_ADDRESS = "http://169.254.170.2";

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly volumes?: readonly string[];
  readonly networks?: Readonly<Record<string, { readonly ipv4_address?: string } | null>>;
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
}

interface File {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean; readonly ipam?: unknown } | null>>;
}

type Sections = Readonly<Record<string, unknown>>;

type Collector = Readonly<Record<"receivers" | "processors" | "exporters", Sections>> & {
  readonly service: { readonly pipelines: Readonly<Record<string, Readonly<Record<string, string[]>>>> };
};

const names = readdirSync(EXAMPLES);

test("there is an example for each use", () => {
  expect(names.toSorted()).toEqual(["localstack", "offline", "option-1", "otel", "roles", "sso"]);
});

for (const name of names) {
  describe(`the example ${name}`, () => {
    const folder = join(EXAMPLES, name);
    const file = Bun.YAML.parse(readFileSync(join(folder, "compose.yaml"), "utf8")) as File;
    const { "ecs-local-endpoints": server, ...others } = file.services;
    const variables = Object.fromEntries(
      Object.entries(server?.environment ?? {}).map(([key, value]) => [key, value ?? ""]),
    );

    test("runs the built image at the ECS address, with the engine's socket", () => {
      expect(server?.image).toBe("ecs-local-endpoints:dev");
      expect(server?.volumes).toContain("/var/run/docker.sock:/var/run/docker.sock");
      expect(server?.networks?.["ecs-local"]).toEqual({ ipv4_address: "169.254.170.2" });
      expect(file.networks["ecs-local"]).toMatchObject({
        internal: true,
        ipam: { config: [{ subnet: "169.254.170.0/24", gateway: "169.254.170.1", ip_range: "169.254.170.128/25" }] },
      });
    });

    test("sets only variables that the server reads", () => {
      const { ECS_LOCAL_ALLOWED_ROLES: _, ...rest } = variables;
      parseConfig(variables);
      expect([unknownVariables(variables), misnamedEndpoints(rest)]).toEqual([[], []]);
    });

    test("gives the server one identity, and a network to reach AWS if it needs one", () => {
      const identities = [
        variables.ECS_LOCAL_OFFLINE === "1",
        server?.volumes?.includes("~/.aws:/home/.aws:ro"),
        variables.STS_ENDPOINT,
      ];
      expect(identities.filter(Boolean)).toHaveLength(1);
      const networks = Object.keys(server?.networks ?? {}).filter((network) => network !== "ecs-local");
      expect(networks).toHaveLength(identities[0] ? 0 : 1);
    });

    test("gives each service one credentials variable, existing routes and the network", () => {
      const asking = Object.values(others).filter(({ environment }) => environment?.ECS_AGENT_URI !== undefined);
      expect(asking).not.toBeEmpty();
      for (const { environment = {}, networks, depends_on } of asking) {
        const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: credentials, ECS_AGENT_URI, ...metadata } = environment;
        if (credentials !== "/creds") parseRole(/^\/role\/(.+)$/.exec(credentials ?? "")?.[1] ?? "", "any");
        expect(Object.keys(environment)).not.toContain("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        expect(Object.keys(environment)).not.toContain("AWS_ACCESS_KEY_ID");
        expect(ECS_AGENT_URI).toBe(`${TASK_ADDRESS}/api`);
        for (const variable of ["ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4"]) {
          const uri = metadata[variable] ?? "";
          expect(readMetadataPath(`${uri.slice(TASK_ADDRESS.length)}/task`)?.resource).toBe("task");
        }
        expect(Object.keys(networks ?? {})).toEqual(["default", "ecs-local"]);
        const before = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on ?? {});
        expect(before).toContain("ecs-local-endpoints");
      }
    });

    test("mounts only existing files", () => {
      const mounted = Object.values(file.services).flatMap(({ volumes = [] }) =>
        volumes.filter((volume) => volume.startsWith("./")),
      );
      for (const volume of mounted) expect(existsSync(join(folder, volume.split(":")[0] ?? ""))).toBeTrue();
    });
  });
}

test("the application of the LocalStack example waits for LocalStack", () => {
  const { services } = Bun.YAML.parse(readFileSync(join(EXAMPLES, "localstack/compose.yaml"), "utf8")) as File;
  expect(services.app?.depends_on).toMatchObject({ localstack: { condition: "service_healthy" } });
});

test("the server can read the roles of the roles example", () => {
  expect([...readRoles(join(EXAMPLES, "roles/roles.json")).keys()]).toEqual(["orders", "*"]);
});

test("the collector's pipelines use only configured components", () => {
  const config = Bun.YAML.parse(readFileSync(join(EXAMPLES, "otel/collector.yaml"), "utf8")) as Collector;
  for (const pipeline of Object.values(config.service.pipelines)) {
    for (const kind of ["receivers", "processors", "exporters"] as const) {
      expect(Object.keys(config[kind] ?? {})).toEqual(expect.arrayContaining(pipeline[kind] ?? []));
    }
  }
  expect(config.receivers).toHaveProperty("awsecscontainermetrics");
});
