import { secret } from "./secrets.ts";

/** The services that an identity comes from, beside STS: SSO with its OIDC, a container's endpoint, an instance's. */
export interface FakeIdentity {
  readonly url: string;
  /** How often each was asked: `portal`, `oidc`, `container`, `imds-token`, `imds`. */
  readonly calls: Record<string, number>;
  /** What the portal accepts. Each refresh issues the next of both. */
  accessToken: string;
  refreshToken: string;
  expiresInSeconds: number;
  /** How long what the container's endpoint and the instance give is good for. */
  lifeMs: number;
  /** What SSO fails with, where it is set: the portal, the refresh of a token. */
  portalFailure: { readonly status: number; readonly type?: string } | undefined;
  oidcFailure: { readonly status: number; readonly type?: string } | undefined;
  /** What the container's endpoint wants as Authorization. */
  containerToken: string | undefined;
  /** Answers of the container's endpoint are like this one, where it is set. */
  containerAnswer: { readonly status: number; readonly body: string } | undefined;
  /** The roles that the portal was asked for. */
  readonly roles: string[];
  readonly stop: () => Promise<void>;
}

export function startFakeIdentity(): FakeIdentity {
  let issued = 0;
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", development: false, fetch: answer });
  const fake: FakeIdentity = {
    url: `http://127.0.0.1:${server.port}`,
    calls: {},
    accessToken: secret("access-0"),
    refreshToken: secret("refresh-0"),
    expiresInSeconds: 3600,
    lifeMs: 3_600_000,
    portalFailure: undefined,
    oidcFailure: undefined,
    containerToken: undefined,
    containerAnswer: undefined,
    roles: [],
    stop: () => server.stop(true),
  };
  const count = (name: string): void => {
    fake.calls[name] = (fake.calls[name] ?? 0) + 1;
  };

  async function answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/federation/credentials") return portal(request, searchParams.get("role_name") ?? "");
    if (pathname === "/token") return oidc((await request.json()) as Record<string, string>);
    if (pathname === "/container") return container(request);
    if (pathname.startsWith("/latest/")) return imds(request, pathname);
    return new Response("nothing", { status: 404 });
  }

  function portal(request: Request, role: string): Response {
    count("portal");
    fake.roles.push(role);
    if (fake.portalFailure) return refusal(fake.portalFailure.type, fake.portalFailure.status);
    if (request.headers.get("x-amz-sso_bearer_token") !== fake.accessToken)
      return refusal("UnauthorizedException", 401);
    const { AccessKeyId, SecretAccessKey, Token, Expiration } = issue();
    return Response.json({
      roleCredentials: {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: Token,
        expiration: Date.parse(Expiration),
      },
    });
  }

  function oidc(asked: Record<string, string>): Response {
    count("oidc");
    if (fake.oidcFailure) return refusal(fake.oidcFailure.type, fake.oidcFailure.status);
    if (asked.grantType !== "refresh_token" || asked.refreshToken !== fake.refreshToken) {
      return refusal("InvalidGrantException", 400);
    }
    issued += 1;
    fake.accessToken = secret(`access-${issued}`);
    fake.refreshToken = secret(`refresh-${issued}`);
    const { accessToken, refreshToken, expiresInSeconds: expiresIn } = fake;
    return Response.json({ accessToken, expiresIn, refreshToken, tokenType: "Bearer" });
  }

  function container(request: Request): Response {
    count("container");
    if (fake.containerAnswer) return new Response(fake.containerAnswer.body, { status: fake.containerAnswer.status });
    if (fake.containerToken !== undefined && request.headers.get("authorization") !== fake.containerToken) {
      return Response.json({ Code: "AccessDenied", Message: "the token is not the one" }, { status: 401 });
    }
    return Response.json({ RoleArn: "", ...issue() });
  }

  function imds(request: Request, path: string): Response {
    if (path === "/latest/api/token") {
      count("imds-token");
      return request.method === "PUT" ? new Response("imds-session") : new Response("", { status: 405 });
    }
    count("imds");
    if (request.headers.get("x-aws-ec2-metadata-token") !== "imds-session") return new Response("", { status: 401 });
    return path.endsWith("/") ? new Response("instance-role") : Response.json({ Code: "Success", ...issue() });
  }

  function issue() {
    issued += 1;
    const Expiration = new Date(Date.now() + fake.lifeMs).toISOString();
    return {
      AccessKeyId: `ASIAFAKE${issued}`,
      SecretAccessKey: secret(`secret-${issued}`),
      Token: secret(`given-${issued}`),
      Expiration,
    };
  }
  return fake;
}

function refusal(type: string | undefined, status: number): Response {
  const headers: Record<string, string> = type === undefined ? {} : { "x-amzn-errortype": type };
  return Response.json({ message: "a refusal of the fake" }, { status, headers });
}
