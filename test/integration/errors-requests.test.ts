import { describe, expect } from "bun:test";
import { createApp } from "../../src/app.ts";
import { markOwn } from "../../src/own-request.ts";
import { startApp } from "../support/app.ts";
import { container } from "../support/containers.ts";
import { type Answered, type Asked, answersTo, expectRow } from "../support/errors-requests.ts";
import { testRows } from "../support/errors-table.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { DB, GATEWAY, machine, OUTSIDER, onBridge, WEB } from "../support/guarded-machine.ts";
import { network, withNetwork } from "../support/networks.ts";
import { secret } from "../support/secrets.ts";

type Case = Asked | (() => Promise<readonly Answered[]>);

const LISTED = { ECS_LOCAL_ALLOWED_NETWORKS: "0.0.0.0/0" };
const TOKEN = { ECS_LOCAL_AUTH_TOKEN: secret("correct-horse") };
const WAITING_MAX = 1_000;
const FREE = "172.31.7.77";
const ARN = "arn:aws:iam::111122223333:role/app";
const header = (name: string, value: string): Asked => ({ init: { headers: { [name]: value } } });
/** Of V2, V3 and V4. */
const OF_CALLER = ["/v2/metadata", "/v3", "/v4"];
const named = (name: string) => [`/v2/metadata/${name}`, `/v3/containers/${name}`, `/v4/${name}`];
const shop = (name: string, taskRoleArn?: string, family = "shop") => ({
  [name]: { family, taskRoleArn, containerDefinitions: [{ name: "web" }] },
});

const crowded = async () => {
  const engine = startFakeEngine();
  engine.faults.hold = true;
  const app = startApp(engine.host, { guarded: {} });
  const waiting = Array.from({ length: WAITING_MAX }, (_, at) => app.ask("/creds", `203.0.${at >> 8}.${at & 255}`));
  const answer = await app.ask("/creds", "203.1.0.1");
  await Promise.all(waiting);
  app.stop();
  await engine.stop();
  return [answer];
};

const unforeseen = async () => {
  const fail = () => {
    throw new TypeError("a fault of our own");
  };
  const lines: string[] = [];
  const caller = { kind: "host", address: "127.0.0.1", name: "127.0.0.1" } as const;
  const answer = createApp({
    vendor: { vend: fail, session: fail, close() {} },
    metadata: fail,
    agentApi: { protection: fail, protect: fail, fault: fail },
    introspection: fail,
    guard: { allowedHosts: [] },
    log: { debug() {}, info() {}, warning() {}, error: (event) => void lines.push(event), flush() {} },
    callers: { identify: () => caller, identifyNow: () => caller },
    addressOf: () => "127.0.0.1",
  });
  const response = await answer(new Request("http://localhost/creds", { headers: { host: "localhost" } }));
  const text = await response.text();
  expect(lines).toEqual(["a request failed unexpectedly"]);
  return [{ status: response.status, text, json: JSON.parse(text) }];
};

const limited = async () => {
  const env = { ECS_TASK_METADATA_RPS_LIMIT: "1,1" };
  return (await answersTo({ env, paths: ["/creds", "/creds"] })).slice(1);
};

/** Two networks of one subnet, and on each a container that has the address. */
const twins = () => {
  const subnet = { subnet: "172.31.9.0/24", gateway: "172.31.9.1" };
  const networks = [network({ name: "one", ...subnet }), network({ name: "two", ...subnet })];
  const containers = networks.map((each) => withNetwork(container({ name: each.Name }), each, { ipv4: "172.31.9.4" }));
  return { networks, containers };
};

const PUT = (body: string): RequestInit => ({ method: "PUT", body });
const POST = (body: string): RequestInit => ({ method: "POST", body });
const PROTECT = PUT('{"ProtectionEnabled":true}');
const STATE = ["/api/task-protection/v1/state"];
const stateOf = (name: string) => [`/api/${name}/task-protection/v1/state`];
const FAULT = ["/api/fault/v1/network-latency/start"];
const DEFAULT_ARN = "arn:aws:ecs:us-west-2:111111111111:task/ecs-local-cluster/37e873f6-37b4-42a7-af47-eac7275c6152";

const MAY_ASK: Readonly<Record<string, Case>> = {
  "the caller is neither this machine nor a container that the engine says is running: another machine, a build step, a container of another engine":
    { from: OUTSIDER },
  "the caller came by a published port, which hides who it is, and you have closed that way": {
    from: GATEWAY,
    env: { ECS_LOCAL_REFUSE_GATEWAY: "1" },
  },
  "the name in the URL is not one of this server's: a page in a browser could have made it up": header(
    "host",
    "evil.example",
  ),
  "a header that only browsers and proxies send": header("via", "1.1 proxy"),
  "two Host headers": header("host", "localhost, evil.example"),
  "no Host header, as in HTTP/1.0": header("host", ""),
  "this server asked itself: it was given the variables that are for your containers": {
    paths: [`/creds${markOwn(new URL("http://h/creds")).search}`],
  },
  "more requests than `ECS_TASK_METADATA_RPS_LIMIT` allows; plain text, as with the agent": limited,
  "a thousand unknown callers are waiting already": crowded,
};

const PATHS: Readonly<Record<string, Case>> = {
  "a path that is none": { paths: ["/cred"] },
  "a method that this path does not have; below `/api` without a body": { init: { method: "DELETE" } },
  "a path that is too long": { paths: [`/role/${"x".repeat(2_048)}`] },
  "a percent sign that begins no character": { paths: ["/role/100%"] },
  "a fault of this program": unforeseen,
};

const CREDENTIALS: Readonly<Record<string, Case>> = {
  "the server wants a token, and the client sent none": { env: TOKEN },
  "the client sent another token, or the token's file cannot be read any more": {
    env: TOKEN,
    ...header("authorization", "wrong"),
  },
  "only some roles may be asked for, and the server's own identity is not listed": {
    env: { ECS_LOCAL_ALLOWED_ROLES: "app" },
  },
  "only some roles may be asked for, and this one is not listed": {
    env: { ECS_LOCAL_ALLOWED_ROLES: "app" },
    paths: ["/role/admin"],
  },
  "the container's label gives it one role, and it asked for another": {
    labels: { "ecs-local.role": "web" },
    from: WEB.address,
    paths: ["/role/db"],
  },
  "the container's label is not a role: see the rules below, or it is over 2048 characters long (`no role is over 2048 characters long`), or `its percent-encoding is not valid UTF-8`":
    { labels: { "ecs-local.role": "100%" }, from: WEB.address },
  "some container is bound to a role by its label, and who asks might be that one: it came by a published port, or has no address of its own":
    { labels: { "ecs-local.role": "web" }, from: GATEWAY },
  "a path that ends where the role should be": { paths: ["/role/"] },
  "not a role's name": { paths: ["/role/a%20b"] },
  "not a role's path": { paths: ["/role/a//b"] },
  "not a role's ARN": { paths: ["/role-arn/arn:aws:s3:::bucket"] },

  "the task definition names no role, and as on ECS the task has no credentials then": {
    definitions: shop("shop.json"),
    from: WEB.address,
  },
  "none of the task definitions is that of the container": {
    definitions: shop("shop.json", ARN),
    from: DB.address,
    labels: {},
    machine: { ...machine(), containers: [onBridge("blog-page-1", DB.address, { "com.docker.compose.project": "b" })] },
  },
  "two task definitions fit the container, and their roles differ": {
    definitions: { ...shop("one.json", ARN), ...shop("two.json", `${ARN}2`) },
    from: WEB.address,
  },
  "the container fits one task definition, and another container of its task says that it is of another": {
    definitions: shop("shop.json", ARN),
    from: WEB.address,
    machine: {
      ...machine(),
      containers: [
        onBridge(WEB.name, WEB.address),
        onBridge(DB.name, DB.address, { "com.amazonaws.ecs.task-definition-family": "other" }),
      ],
    },
  },
  "it cannot be told which container asks": { definitions: shop("shop.json", ARN), from: GATEWAY },
};

const CONTAINERS: Readonly<Record<string, Case>> = {
  "you asked from the machine itself without naming a container": { paths: ["/v3", "/v4"] },
  "you asked by a published port or another gateway, and more than one task runs": { from: GATEWAY, paths: OF_CALLER },
  "no running container has the address of the caller": { from: OUTSIDER, env: LISTED, paths: OF_CALLER },
  "two networks use the same subnet, and on each a container has this address": {
    machine: twins(),
    from: "172.31.9.4",
    paths: OF_CALLER,
  },
  "the engine is rootless or on another machine: its containers' addresses mean nothing here": {
    rootless: true,
    from: WEB.address,
    env: LISTED,
    paths: OF_CALLER,
  },
  "nothing runs at all": { machine: { containers: [] }, paths: ["/v3", "/v4"] },
  "the path names a container that there is not": { paths: named("blog") },
  "the path names a container, and nothing runs at all": { machine: { containers: [] }, paths: named("blog") },
  "a part of a name or id that fits more than one container": { paths: named("shop-") },
  "stats of a container that has stopped": {
    machine: { containers: [container({ name: "job", running: false })] },
    paths: ["/v2/stats/job", "/v3/containers/job/stats", "/v4/job/stats"],
  },
  "an association, which binds a container to an accelerator of AWS's: none has one here": {
    from: WEB.address,
    paths: ["/v3/associations/elastic-inference/x", "/v4/associations/elastic-inference/x"],
  },

  "the body of a PUT is not JSON, or has a field that is unknown or of the wrong kind": {
    paths: STATE,
    init: PUT('{"Protection":true}'),
  },
  "the body of a PUT lacks what it is for": { paths: STATE, init: PUT("{}") },
  "too few or too many minutes": {
    paths: STATE,
    init: PUT('{"ProtectionEnabled":true,"ExpiresInMinutes":0}'),
  },
  "a change that names a container by a part of its name or id": { paths: stateOf("shop-we"), init: PROTECT },
  "a container that changes another task than its own": {
    from: WEB.address,
    paths: stateOf("camera"),
    init: PROTECT,
  },
  "a change by a container that cannot be told from another, or that the engine does not list": {
    from: FREE,
    env: LISTED,
    paths: STATE,
    init: PROTECT,
  },
  "a fault without a body": { paths: FAULT, init: POST("") },
  "a fault: no task has them enabled here": { from: WEB.address, paths: FAULT, init: POST("{}") },
  "`/v1/tasks` with two questions at once": { paths: ["/v1/tasks?dockerid=a&taskarn=b"] },
  "`/v1/tasks` with the beginning of more than one container's id": {
    machine: {
      containers: [
        { ...onBridge("shop-web-1", WEB.address), Id: "ab".padEnd(64, "0") },
        { ...container({ name: "alone" }), Id: "ab".padEnd(64, "1") },
      ],
    },
    paths: ["/v1/tasks?dockerid=ab"],
  },
  "`/v1/tasks` with an ARN that more than one task has, as those without labels have": {
    paths: [`/v1/tasks?taskarn=${DEFAULT_ARN}`],
  },
  "`/v1/tasks` with an id of no container": { paths: ["/v1/tasks?dockerid=missing"] },
  "`/v1/tasks` with an ARN of no task": { paths: ["/v1/tasks?taskarn=arn:aws:ecs:x"] },
};

describe("each row of docs/errors.md is what is answered:", () => {
  for (const [section, cases] of [
    ["Who may ask", MAY_ASK],
    ["The path", PATHS],
    ["Which credentials you may have", CREDENTIALS],
    ["Which container is meant", CONTAINERS],
  ] as const) {
    testRows([section], cases, async (row, found) => {
      expectRow(row, typeof found === "function" ? await found() : await answersTo(found));
    });
  }
});
