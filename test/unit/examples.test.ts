import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
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

const names = readdirSync(EXAMPLES);

test("there is an example for each way to use it", () => {
  expect(names.toSorted()).toEqual(["localstack", "offline", "option-1", "otel", "roles", "sso"]);
});

for (const name of names) {
  describe(`the example ${name}`, () => {
    const folder = join(EXAMPLES, name);
    const file = parse(readFileSync(join(folder, "compose.yaml"), "utf8"), { merge: true }) as File;
    const { "ecs-local-endpoints": server, ...others } = file.services;
    const variables = Object.fromEntries(
      Object.entries(server?.environment ?? {}).map(([key, value]) => [key, value ?? ""]),
    );

    test("has the server at the address of ECS, with the engine's socket, its image as it is built", () => {
      expect(server?.image).toBe("ecs-local-endpoints:dev");
      expect(server?.volumes).toContain("/var/run/docker.sock:/var/run/docker.sock");
      expect(server?.networks?.["ecs-local"]).toEqual({ ipv4_address: "169.254.170.2" });
      expect(file.networks["ecs-local"]).toMatchObject({
        internal: true,
        ipam: { config: [{ subnet: "169.254.170.0/24", gateway: "169.254.170.1", ip_range: "169.254.170.128/25" }] },
      });
    });

    test("configures it with what it reads", () => {
      const { ECS_LOCAL_ALLOWED_ROLES: _, ...rest } = variables;
      parseConfig(variables);
      expect([unknownVariables(variables), misnamedEndpoints(rest)]).toEqual([[], []]);
    });

    test("gives it an identity, and a way to where it comes from", () => {
      const ways = [
        variables.ECS_LOCAL_OFFLINE === "1",
        server?.volumes?.includes("~/.aws:/home/.aws:ro"),
        variables.STS_ENDPOINT,
      ];
      expect(ways.filter(Boolean)).toHaveLength(1);
      const networks = Object.keys(server?.networks ?? {}).filter((network) => network !== "ecs-local");
      expect(networks).toHaveLength(ways[0] ? 0 : 1);
    });

    test("sets for each service one variable of credentials, routes that there are, and the network", () => {
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

    test("mounts files that there are", () => {
      const mounted = Object.values(file.services).flatMap(({ volumes = [] }) =>
        volumes.filter((volume) => volume.startsWith("./")),
      );
      for (const volume of mounted) expect(existsSync(join(folder, volume.split(":")[0] ?? ""))).toBeTrue();
    });
  });
}

test("LocalStack answers before the application asks for what comes from there", () => {
  const { services } = parse(readFileSync(join(EXAMPLES, "localstack/compose.yaml"), "utf8"), { merge: true }) as File;
  expect(services.app?.depends_on).toMatchObject({ localstack: { condition: "service_healthy" } });
});

test("the roles that one of them configures are what the server reads", () => {
  expect([...readRoles(join(EXAMPLES, "roles/roles.json")).keys()]).toEqual(["orders", "*"]);
});

test("the collector's pipelines are made of what it configures", () => {
  const config = parse(readFileSync(join(EXAMPLES, "otel/collector.yaml"), "utf8"));
  for (const pipeline of Object.values<Record<string, string[]>>(config.service.pipelines)) {
    for (const [kind, used] of Object.entries(pipeline)) expect(Object.keys(config[kind])).toContainAllValues(used);
  }
  expect(config.receivers).toHaveProperty("awsecscontainermetrics");
});
