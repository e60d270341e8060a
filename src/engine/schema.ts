import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../errors.ts";

// Only what we read is named: nothing else of the engine's JSON goes further than this file.
const nullable = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));
const text = nullable(Type.String());
const number = nullable(Type.Number());
const texts = nullable(Type.Array(Type.String()));
const textMap = nullable(Type.Record(Type.String(), Type.String()));

const IS_ENGINE = "check whether it is Docker from 20.10 or Podman from 4.3 that answers there";

export const VersionSchema = Type.Object({
  ApiVersion: Type.String(),
  MinAPIVersion: text,
  Components: nullable(Type.Array(Type.Object({ Name: text }))),
});
export type EngineVersion = Static<typeof VersionSchema>;

export const ListSchema = Type.Array(Type.Object({ Id: Type.String(), State: text }));

export const NetworksSchema = Type.Array(
  Type.Object({
    Id: Type.String(),
    Name: Type.String(),
    Driver: text,
    Internal: nullable(Type.Boolean()),
    Options: textMap,
    IPAM: nullable(Type.Object({ Config: nullable(Type.Array(Type.Object({ Subnet: text, Gateway: text }))) })),
  }),
);

/** What the engine says of its machine and of itself: rootless, in Docker's words and in Podman's. */
export const InfoSchema = Type.Object({
  NCPU: number,
  MemTotal: number,
  SecurityOptions: texts,
  Rootless: nullable(Type.Boolean()),
});
type Info = Static<typeof InfoSchema>;

export function isRootless({ SecurityOptions, Rootless }: Info): boolean {
  return Rootless === true || (SecurityOptions ?? []).some((option) => option.split(",")[0] === "name=rootless");
}

/** Podman's own list of networks, which names their bridges. */
export const PodmanNetworksSchema = Type.Array(Type.Object({ id: Type.String(), network_interface: text }));

export const EventSchema = Type.Object({
  Type: Type.String(),
  Action: Type.String(),
  Actor: Type.Object({ ID: Type.String(), Attributes: textMap }),
  /** Of the engine's clock. */
  time: number,
  timeNano: number,
});
export type EngineEvent = Static<typeof EventSchema>;

const Endpoint = Type.Object({
  NetworkID: text,
  IPAddress: text,
  IPPrefixLen: number,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: number,
  Gateway: text,
  IPv6Gateway: text,
  MacAddress: text,
  Aliases: texts,
});

export const InspectSchema = Type.Object({
  Id: Type.String(),
  Name: Type.String(),
  Image: Type.String(),
  Created: Type.String(),
  State: Type.Object({
    Running: Type.Boolean(),
    Dead: nullable(Type.Boolean()),
    ExitCode: number,
    Error: text,
    StartedAt: text,
    FinishedAt: text,
    Health: nullable(
      Type.Object({
        Status: text,
        FailingStreak: number,
        Log: nullable(Type.Array(Type.Object({ End: text, ExitCode: number, Output: text }))),
      }),
    ),
  }),
  Config: Type.Object({
    Image: text,
    Labels: textMap,
    Healthcheck: nullable(Type.Object({ Test: nullable(Type.Array(Type.String())), Retries: number })),
  }),
  HostConfig: Type.Object({
    CpuShares: number,
    NanoCpus: number,
    CpuQuota: number,
    CpuPeriod: number,
    Memory: number,
    NetworkMode: text,
    RestartPolicy: nullable(Type.Object({ Name: text })),
    LogConfig: nullable(Type.Object({ Type: text, Config: textMap })),
    Dns: texts,
    DnsSearch: texts,
  }),
  RestartCount: number,
  Storage: nullable(
    Type.Object({ RootFS: nullable(Type.Object({ Snapshot: nullable(Type.Object({ Name: text })) })) }),
  ),
  NetworkSettings: nullable(
    Type.Object({
      Ports: nullable(Type.Record(Type.String(), nullable(Type.Array(Type.Object({ HostIp: text, HostPort: text }))))),
      Networks: nullable(Type.Record(Type.String(), Endpoint)),
    }),
  ),
  Mounts: nullable(Type.Array(Type.Object({ Name: text, Source: text, Destination: text }))),
});
export type Inspect = Static<typeof InspectSchema>;

/**
 * Checks an answer of the engine against what we read of it.
 *
 * @param what names the answer for the error, such as "the list of containers"
 * @throws AppError `engine-bad-answer`, which names the first field that is not as expected
 */
function decode<T extends TSchema>(schema: T, value: unknown, what: string): Static<T> {
  if (Value.Check(schema, value)) return value;
  const wrong = Value.Errors(schema, value).First();
  throw new AppError(
    "engine-bad-answer",
    `The engine's answer for ${what} is not understood: ${wrong?.path || "the document"}: ${wrong?.message ?? "unexpected"}`,
    { hint: IS_ENGINE },
  );
}

/** Parses text of the engine and checks it, see {@link decode}. */
export function decodeText<T extends TSchema>(schema: T, json: string, what: string): Static<T> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new AppError("engine-bad-answer", `The engine's answer for ${what} is not JSON`, { hint: IS_ENGINE, cause });
  }
  return decode(schema, value, what);
}
