import { describe, expect, test } from "bun:test";
import { warnOfPublishedPort } from "../../../src/commands/startup-log.ts";
import { parseConfig } from "../../../src/config/config.ts";
import { toContainer } from "../../../src/engine/container.ts";
import { createContainerStore } from "../../../src/engine/container-store.ts";
import { createLog } from "../../../src/log.ts";
import { container } from "../../support/containers.ts";

const own = (HostIp: string) =>
  toContainer(container({ name: "endpoints", ports: { "80/tcp": [{ HostIp, HostPort: "51679" }] } }));

function start(env = {}) {
  const store = createContainerStore();
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "text", write: (text) => lines.push(text) });
  const onLive = warnOfPublishedPort({
    store: () => store,
    isOwn: ({ name }) => name === "endpoints",
    config: parseConfig(env),
    log,
  });
  return {
    store,
    live() {
      lines.length = 0;
      onLive();
      log.flush();
      return lines.join("");
    },
  };
}

describe("a port that is published beyond this machine", () => {
  test("is warned about once, with the remedy", () => {
    const { store, live } = start();
    store.put(own(""));
    const line = live();
    expect(line).toContain("warning the port is published beyond this machine");
    expect(line).toContain("-p 127.0.0.1:51679:80, or set ECS_LOCAL_REFUSE_GATEWAY=1");
    expect(live()).toBe("");
  });
  test("is warned about again when it is published elsewhere", () => {
    const { store, live } = start();
    store.put(own(""));
    live();
    store.put(own("192.168.1.5"));
    expect(live()).toContain("192.168.1.5:51679");
  });
  for (const [title, ip, env] of [
    ["on loopback", "127.0.0.1", {}],
    ["and gateways are refused", "", { ECS_LOCAL_REFUSE_GATEWAY: "1" }],
    ["and it is not the one that we listen on", "", { ECS_LOCAL_METADATA_PORT: "81" }],
  ] as const) {
    test(`does not matter ${title}`, () => {
      const { store, live } = start(env);
      store.put(own(ip));
      expect(live()).toBe("");
    });
  }
  test("does not matter where it is another's", () => {
    const { store, live } = start();
    store.put({ ...own(""), name: "other" });
    expect(live()).toBe("");
  });
});
