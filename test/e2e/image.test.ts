import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { askScript, parseAnswer } from "../support/ask.ts";
import { createAuthority } from "../support/authority.ts";
import { describeEngines } from "../support/engines.ts";
import { startFakeAws } from "../support/fake-aws.ts";
import type { Network } from "../support/real-engine.ts";
import { interfaceOf, letPass } from "../support/redirects.ts";
import { note, secret } from "../support/secrets.ts";
import { buildServerImage, removeServerImage } from "../support/server-image.ts";
import { createTaskNetwork } from "../support/task-network.ts";
import { importToolsImage, removeToolsImage } from "../support/tools-image.ts";

const ADDRESS = "169.254.170.2";
const FAKE = "169.254.170.3";
const FAKE_PORT = 8080;
const OUTSIDE_NAME = "sts.corp.example";
const USER = 1234;
const TIMEOUT_MS = 60_000;
const BUILD_MS = 120_000;
/** As the fake STS gives them; those of offline mode are others. */
const ofFake = { status: 200, body: { AccessKeyId: expect.stringMatching(/^ASIAA{9}/) } };

describeEngines("the image", ({ engine }) => {
  const isPodman = engine.name === "podman";
  /** Podman's socket is root's and of no group; and it lets no other user have a low port. */
  const socketGroup = isPodman ? 0 : (statSync(engine.socket, { throwIfNoEntry: false })?.gid ?? 0);
  const ownUser = isPodman ? "0:0" : `${USER}:${USER}`;
  const sysctls = isPodman ? { Sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" } } : {};
  const socket = `${engine.socket}:/var/run/docker.sock`;
  const keys = [
    "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
    `AWS_SECRET_ACCESS_KEY=${secret("of-the-image-test")}`,
    `STS_ENDPOINT=http://fake-sts:${FAKE_PORT}`,
  ];
  let network: Network;
  let tools: string;
  let app: string;
  let server: string;
  let image: string;
  let stopLetting = () => {};

  /** Never one that another server had: a client's kernel would go on sending to that one's hardware address. */
  let lastAddress = 19;
  const nextAddress = () => `169.254.170.${++lastAddress}`;

  async function startServer(options: Partial<Parameters<typeof engine.run>[0]>): Promise<string> {
    const name = `img-server-${process.pid}`;
    const host = { ...sysctls, ...options.host };
    const id = await engine.run({ name, network, image, command: [], ...options, host });
    for (let i = 0; !(await engine.output(id)).includes("listening"); i += 1) {
      if (i > 100) throw new Error(`the server does not listen:\n${await engine.output(id)}`);
      await Bun.sleep(50);
    }
    return id;
  }
  /** The server's own program as one more process in its container. */
  async function runInside(id: string, ...command: string[]) {
    const what = { AttachStdout: true, AttachStderr: true, Cmd: ["/ecs-local-endpoints", ...command] };
    const made = await (await engine.call("POST", `/containers/${id}/exec`, what)).json();
    const { Id } = made as { Id: string };
    const output = await (await engine.call("POST", `/exec/${Id}/start`, { Detach: false, Tty: false })).text();
    const { ExitCode } = (await (await engine.call("GET", `/exec/${Id}/json`)).json()) as { ExitCode: number };
    return { exitCode: ExitCode, output: note(output.slice(8)) };
  }
  async function askFrom(id: string, host: string, path: string) {
    return parseAnswer(await engine.exec(id, askScript(host, 80, path)));
  }
  async function removed(id: string): Promise<void> {
    note(await engine.output(id));
    await engine.remove(id);
  }

  beforeAll(async () => {
    image = await buildServerImage(engine);
    tools = await importToolsImage(engine);
    network = await createTaskNetwork(engine);
    app = await engine.run({ name: `img-app-${process.pid}`, network, address: "169.254.170.10" });
    if (engine.name === "moby-29") stopLetting = letPass(interfaceOf(network.gateway));
    const command = ["/tools", "serve", String(FAKE_PORT), `${OUTSIDE_NAME}=${FAKE}`];
    const name = `img-sts-${process.pid}`;
    await engine.run({ name, network, image: tools, command, address: FAKE, aliases: ["fake-sts"] });
    server = await startServer({
      address: ADDRESS,
      env: keys,
      binds: [socket],
      user: ownUser,
      host: {
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        GroupAdd: [String(socketGroup)],
      },
    });
  }, BUILD_MS);
  afterAll(async () => {
    stopLetting();
    await engine.cleanUp();
    await removeToolsImage(engine);
    await removeServerImage(engine);
  }, TIMEOUT_MS);

  const who = isPodman ? "root, whose alone Podman's socket is," : "a user of its own who is in the socket's group,";
  describe(`at ${ADDRESS}, run by ${who} without capabilities on a read-only root`, () => {
    test("gives a shell the credentials, and the metadata of the container that asks", async () => {
      expect(await askFrom(app, ADDRESS, "/creds")).toMatchObject(ofFake);
      expect(await askFrom(app, ADDRESS, "/v3")).toMatchObject({ status: 200, body: { DockerId: app } });
    });
    for (const path of ["/v3", "/v4"]) {
      test(
        `gives an SDK the credentials of a relative address, and metadata at ${path}`,
        async () => {
          const env = [
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds",
            `ECS_CONTAINER_METADATA_URI_V4=http://${ADDRESS}${path}`,
          ];
          const name = `img-client-${process.pid}`;
          const id = await engine.run({ name, network, image: tools, command: ["/tools", "client"], env });
          const exitCode = await engine.wait(id);
          const output = note(await engine.output(id));
          expect(exitCode, output).toBe(0);
          const { accessKeyId, expiration, DockerId } = JSON.parse(output);
          expect(accessKeyId).toMatch(/^ASIAA{9}/);
          expect(Date.parse(expiration)).toBeGreaterThan(Date.now());
          expect(DockerId).toBe(id);
          await engine.remove(id);
        },
        TIMEOUT_MS,
      );
    }
    test("is well by its own healthcheck, which says how engine and identity stand", async () => {
      const { exitCode, output } = await runInside(server, "healthcheck");
      expect(output).toMatch(
        /^healthy: 127\.0\.0\.1:80, version \S+, engine connected, identity ok until \d{4}-\S+Z\n$/,
      );
      expect(exitCode).toBe(0);
      const elsewhere = await runInside(server, "healthcheck", "--port", "9");
      expect([elsewhere.exitCode, elsewhere.output]).toEqual([1, expect.stringMatching(/^unhealthy: 127\.0\.0\.1:9 /)]);
    });
    const dropped = isPodman ? " (skipped: Podman's build over its API drops HEALTHCHECK)" : "";
    test.skipIf(isPodman)(
      `becomes healthy for the engine${dropped}`,
      async () => {
        for (;;) {
          const { State } = (await (await engine.call("GET", `/containers/${server}/json`)).json()) as {
            State: { Health: { Status: string; Log: { ExitCode: number; Output: string }[] } };
          };
          const { Status, Log } = State.Health;
          if (Status === "starting") await Bun.sleep(250);
          else {
            expect(Log[0]).toMatchObject({ ExitCode: 0, Output: expect.stringMatching(/^healthy: /) });
            expect(Status).toBe("healthy");
            break;
          }
        }
      },
      TIMEOUT_MS,
    );
  });

  describe("with what the reference's users mount", () => {
    let home: string;
    beforeAll(() => {
      home = mkdtempSync(join(tmpdir(), "ecs-local-aws-"));
      const text = `[dev]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = ${secret("of-the-mounted-file")}\n`;
      writeFileSync(join(home, "credentials"), text, { mode: 0o600 });
      chmodSync(home, 0o700);
      for (const path of [home, join(home, "credentials")]) chownSync(path, USER, USER);
    });
    afterAll(() => rmSync(home, { recursive: true }));

    const folder = `${dirname(engine.socket)}:/var/run`;
    for (const [title, user, bind] of [
      ["as root, the socket", undefined, socket],
      ["as root, the folder of the socket", undefined, folder],
      ["as the owner of ~/.aws, in the socket's group, the socket", `${USER}:${socketGroup}`, socket],
    ] as const) {
      const reason =
        isPodman && user !== undefined
          ? "Podman's socket is root's alone"
          : isPodman && bind === folder
            ? "Podman's socket has another name"
            : undefined;
      test.skipIf(reason !== undefined)(
        `${title}, and ~/.aws at /home/.aws${reason === undefined ? "" : ` (skipped: ${reason})`}`,
        async () => {
          const env = ["AWS_PROFILE=dev", `STS_ENDPOINT=http://fake-sts:${FAKE_PORT}`];
          const options = { name: `img-mounts-${process.pid}`, address: nextAddress() };
          const id = await startServer({ ...options, env, user, binds: [bind, `${home}/:/home/.aws/`] });
          expect(await askFrom(app, options.address, "/creds")).toMatchObject(ofFake);
          expect(await askFrom(app, options.address, "/v3")).toMatchObject({ status: 200, body: { DockerId: app } });
          await removed(id);
        },
        TIMEOUT_MS,
      );
    }
  });

  // The image has the first of the five files where Go looks; a reader of that one alone would not see these.
  for (const path of ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"]) {
    test(
      `trusts an authority that is mounted at ${path}, as in the reference's documents`,
      async () => {
        const authority = createAuthority();
        const sts = startFakeAws(authority.issue(`IP:${network.gateway}`), { hostname: network.gateway, port: 0 });
        const options = { name: `img-authority-${process.pid}`, address: nextAddress() };
        const id = await startServer({
          ...options,
          env: [...keys.slice(0, 2), `STS_ENDPOINT=https://${network.gateway}:${sts.port}`],
          binds: [socket, `${authority.ca}:${path}:ro`],
        });
        expect(await askFrom(app, options.address, "/creds")).toMatchObject({ status: 200 });
        await removed(id);
        await sts.stop();
        authority.remove();
      },
      TIMEOUT_MS,
    );
  }

  describe("looks up", () => {
    for (const [title, name, host] of [
      ["a name of the outside by the resolver that the container was given", OUTSIDE_NAME, { Dns: [FAKE] }],
      ["a name of the file of hosts", "sts.hosts.example", { ExtraHosts: [`sts.hosts.example:${FAKE}`] }],
    ] as const) {
      test(
        title,
        async () => {
          const env = [...keys.slice(0, 2), `STS_ENDPOINT=http://${name}:${FAKE_PORT}`];
          const options = { name: `img-names-${process.pid}`, address: nextAddress() };
          const id = await startServer({ ...options, env, host });
          expect(await askFrom(app, options.address, "/creds")).toMatchObject(ofFake);
          await removed(id);
        },
        TIMEOUT_MS,
      );
    }
    test(
      "a name that there is not, and says so to who asks",
      async () => {
        const env = [...keys.slice(0, 2), `STS_ENDPOINT=http://absent.corp.example:${FAKE_PORT}`];
        const options = { name: `img-names-${process.pid}`, address: nextAddress(), host: { Dns: [FAKE] } };
        const id = await startServer({ ...options, env });
        const { status, body } = await askFrom(app, options.address, "/creds");
        expect(status).toBe(503);
        expect(body).toMatchObject({ message: expect.stringContaining("absent.corp.example") });
        await removed(id);
      },
      TIMEOUT_MS,
    );
  });

  const noFilter = isPodman
    ? "Podman takes a filter of system calls from a file alone"
    : engine.name === "moby-29"
      ? "this engine's runc is built without seccomp"
      : undefined;
  test.skipIf(noFilter !== undefined)(
    `listens on a machine whose kernel has no IPv6${noFilter === undefined ? "" : ` (skipped: ${noFilter})`}`,
    async () => {
      // EAFNOSUPPORT for AF_INET6, as such a kernel has it.
      const refused = {
        names: ["socket"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: 97,
        args: [{ index: 0, value: 10, op: "SCMP_CMP_EQ" }],
      };
      const profile = JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [refused] });
      const options = { name: `img-ipv4-${process.pid}`, address: nextAddress(), env: ["ECS_LOCAL_OFFLINE=1"] };
      const id = await startServer({ ...options, host: { SecurityOpt: [`seccomp=${profile}`] } });
      expect((await askFrom(app, options.address, "/creds")).status).toBe(200);
      expect((await runInside(id, "healthcheck")).exitCode).toBe(0);
      await removed(id);
    },
    TIMEOUT_MS,
  );

  describe("is stopped", () => {
    test(
      "within 1.5 s, by itself",
      async () => {
        const begin = performance.now();
        await engine.call("POST", `/containers/${server}/stop?t=20`);
        expect(performance.now() - begin).toBeLessThan(1_500);
        expect(await engine.wait(server), await engine.output(server)).toBe(0);
        await removed(server);
      },
      TIMEOUT_MS,
    );
    test(
      "and takes no kill where a client holds a request open",
      async () => {
        const options = { name: `img-held-${process.pid}`, address: nextAddress(), env: ["ECS_LOCAL_OFFLINE=1"] };
        const id = await startServer(options);
        const half = "printf 'GET /creds HTTP/1.1\\r\\nHost: a\\r\\n'; sleep 20";
        await engine.exec(app, `(${half}) | nc ${options.address} 80 >/dev/null 2>&1 & sleep 0.3`);
        const begin = performance.now();
        await engine.call("POST", `/containers/${id}/stop?t=20`);
        const tookMs = performance.now() - begin;
        // The server waits 1.2 s; a kill comes after the 20 s. The rest is the engine's.
        expect(tookMs).toBeGreaterThan(1_000);
        expect(tookMs).toBeLessThan(6_000);
        expect(await engine.wait(id), await engine.output(id)).toBe(0);
        await removed(id);
      },
      TIMEOUT_MS,
    );
  });
});
