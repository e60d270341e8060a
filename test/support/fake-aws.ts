import { secretsOf } from "./secrets.ts";

/** What a call of the fake answers: an hour's credentials unless told otherwise. */
export interface FakeAws {
  readonly url: string;
  readonly port: number;
  /** How often each action was asked, by its name in the query protocol. */
  readonly calls: Record<string, number>;
  /** The parameters of every call, in order. */
  readonly requests: {
    readonly action: string;
    readonly params: URLSearchParams;
    readonly authorization: string;
    /** The time of its signature, as `20260102T030405Z`. */
    readonly signedAt: string;
  }[];
  /** Answers every call late. Milliseconds. */
  delayMs: number;
  lifeSeconds: number;
  /** How far its clock is ahead of this process's. Milliseconds. */
  clockMs: number;
  /** Refuses signatures that are more than 5 minutes off its clock. */
  isPunctual: boolean;
  /** Codes to fail with, by action; 5xx for what is not the caller's fault. */
  readonly failures: Record<
    string,
    { readonly code: string; readonly status: number; readonly message?: string } | undefined
  >;
  /** Roles that have a path, by name: AssumeRole of them without it is refused, as IAM does. */
  readonly paths: Record<string, string>;
  /** AssumeRole of more seconds is refused. */
  durationMax: number;
  /** Of the identity that GetCallerIdentity tells. */
  partition: string;
  readonly stop: () => Promise<void>;
}

const ACCOUNT = "111122223333";

/** STS and IAM over real HTTP: the query protocol of four actions, and the one call of the SSO portal. */
export function startFakeAws(
  tls?: { readonly cert: string; readonly key: string },
  { hostname, port } = { hostname: "127.0.0.1", port: 0 },
): FakeAws {
  let issued = 0;
  const server = Bun.serve({ port, hostname, development: false, fetch: answer, ...(tls && { tls }) });
  const fake: FakeAws = {
    url: `${tls ? "https" : "http"}://127.0.0.1:${server.port}`,
    port: server.port ?? 0,
    calls: {},
    requests: [],
    delayMs: 0,
    lifeSeconds: 3600,
    clockMs: 0,
    isPunctual: false,
    failures: {},
    paths: {},
    durationMax: 43_200,
    partition: "aws",
    stop: () => server.stop(true),
  };

  async function answer(request: Request): Promise<Response> {
    const response = await respond(request);
    response.headers.set("date", new Date(Date.now() + fake.clockMs).toUTCString());
    return response;
  }

  async function respond(request: Request): Promise<Response> {
    const params = new URLSearchParams(await request.text());
    const portal = new URL(request.url).pathname === "/federation/credentials";
    const action = portal ? "GetRoleCredentials" : (params.get("Action") ?? "");
    fake.calls[action] = (fake.calls[action] ?? 0) + 1;
    const header = (name: string): string => request.headers.get(name) ?? "";
    fake.requests.push({ action, params, authorization: header("authorization"), signedAt: header("x-amz-date") });
    if (fake.delayMs > 0) await Bun.sleep(fake.delayMs);
    if (fake.isPunctual && !isTimely(header("x-amz-date"))) {
      return fault(403, "SignatureDoesNotMatch", "Signature expired: it is now earlier than it should be");
    }
    const failure = fake.failures[action];
    if (failure && portal) {
      const headers = { "x-amzn-errortype": failure.code };
      return Response.json(
        { message: failure.message ?? "a failure of the fake" },
        { status: failure.status, headers },
      );
    }
    if (failure) return fault(failure.status, failure.code, failure.message ?? "a failure of the fake");
    return portal ? roleCredentials() : xml(action, params);
  }

  function isTimely(signedAt: string): boolean {
    const iso = signedAt.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5");
    return Math.abs(Date.parse(iso) - (Date.now() + fake.clockMs)) < 5 * 60_000;
  }

  function issue(): { id: string; secret: string; token: string; end: Date } {
    issued += 1;
    const end = new Date(Date.now() + fake.clockMs + fake.lifeSeconds * 1000);
    return { id: `ASIA${String(issued).padStart(16, "A")}`, secret: `secret-${issued}`, token: `token-${issued}`, end };
  }

  function roleCredentials(): Response {
    const { id, secret, token, end } = issue();
    secretsOf({ secret, session_token: token });
    const roleCredentials = {
      accessKeyId: id,
      secretAccessKey: secret,
      sessionToken: token,
      expiration: end.getTime(),
    };
    return Response.json({ roleCredentials });
  }

  function xml(action: string, params: URLSearchParams): Response {
    if (action === "GetSessionToken") return result(action, credentials());
    if (action === "GetCallerIdentity") {
      return result(
        action,
        `<Arn>arn:${fake.partition}:iam::${ACCOUNT}:user/dev</Arn><Account>${ACCOUNT}</Account><UserId>U</UserId>`,
      );
    }
    if (action === "AssumeRole" || action === "AssumeRoleWithWebIdentity") {
      const arn = params.get("RoleArn") ?? "";
      if (fake.paths[arn.split("/").slice(1).join("/")] !== undefined) {
        return fault(403, "AccessDenied", `User is not authorized to perform: sts:AssumeRole on resource: ${arn}`);
      }
      if (Number(params.get("DurationSeconds")) > fake.durationMax) {
        return fault(
          400,
          "ValidationError",
          "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        );
      }
      return result(action, credentials());
    }
    if (action === "GetRole") {
      const name = params.get("RoleName") ?? "";
      const path = fake.paths[name] ?? "/";
      const role = `<Path>${path}</Path><RoleName>${name}</RoleName><RoleId>R</RoleId><CreateDate>2026-01-01T00:00:00Z</CreateDate>`;
      return result(action, `<Role>${role}<Arn>arn:aws:iam::${ACCOUNT}:role${path}${name}</Arn></Role>`);
    }
    return fault(400, "InvalidAction", action);
  }

  function credentials(): string {
    const { id, secret, token, end } = issue();
    secretsOf({ secret, session_token: token });
    const keys = `<AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey>`;
    return `<Credentials>${keys}<SessionToken>${token}</SessionToken><Expiration>${end.toISOString()}</Expiration></Credentials>`;
  }
  return fake;
}

function result(action: string, inner: string): Response {
  return body(200, `<${action}Response><${action}Result>${inner}</${action}Result></${action}Response>`);
}

function fault(status: number, code: string, message: string): Response {
  return body(
    status,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  );
}

function body(status: number, text: string): Response {
  return new Response(text, { status, headers: { "content-type": "text/xml" } });
}
