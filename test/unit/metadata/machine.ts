import type { Caller } from "../../../src/engine/caller.ts";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { AppError } from "../../../src/errors.ts";
import { findContainer } from "../../../src/metadata/find-container.ts";
import { container } from "../../support/containers.ts";

export const HOST: Caller = { kind: "host", address: "127.0.0.1", name: "127.0.0.1" };

export function make(name: string, idPrefix: string, labels: Record<string, string> = {}, running = true): Container {
  return toContainer(container({ name, id: idPrefix.padEnd(64, "0"), labels, running }));
}

export function compose(name: string, idPrefix: string, running = true): Container {
  const [project = "", service = ""] = name.split("-");
  return make(
    name,
    idPrefix,
    { "com.docker.compose.project": project, "com.docker.compose.service": service },
    running,
  );
}

const ECS = { "com.amazonaws.ecs.container-name": "app", "com.amazonaws.ecs.task-arn": "arn:aws:ecs:x:1:task/t" };
export const MACHINE = [
  compose("shop-web-1", "a1"),
  compose("shop-db-1", "a2"),
  compose("shop-job-1", "a3", false),
  compose("blog-web-1", "b1"),
  compose("blog-api-1", "b2"),
  make("cafe", "c1"),
  make("feeder", "c2"),
  make("api-gateway", "c3"),
  make("tea", "cafe"),
  make("ink", "db"),
  make("hay", "feed"),
  make("ecs-pay-7-front-c2e5", "d1", ECS),
];

export function member(name: string): Container {
  const found = MACHINE.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no ${name} on the machine of this test`);
  return found;
}

/** The name that was found, or the error's code and text. */
export function outcome(all: readonly Container[], identifier: string, caller: Caller = HOST): string {
  try {
    return findContainer(all, identifier, caller).name;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${error.code}: ${error.sentence}`;
  }
}

export const callerOf = (container: Container): Caller => ({
  ...{ kind: "container", address: "10.0.0.2", name: container.name, container },
});
export const asking = (name: string): Caller => callerOf(member(name));
export const AMBIGUOUS = (identifier: string, names: string) =>
  `container-ambiguous: '${identifier}' means several containers: ${names}; use a full container name`;
