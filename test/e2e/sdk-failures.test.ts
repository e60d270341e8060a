import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { fromHttp } from "@aws-sdk/credential-providers";
import { describeClients } from "../support/sdk/clients.ts";
import { startServer } from "../support/sdk/server.ts";

const TIMEOUT_MS = 60_000;

/** The end of what each client's user sees, where our answer is `body` and its sentence is `message`. */
const TRANSCRIPTS: Readonly<Record<string, (said: { body: string; message: string }) => string>> = {
  boto3: ({ body }) =>
    `\nbotocore.exceptions.CredentialRetrievalError: Error when retrieving credentials from container-role: Error retrieving metadata: Received non 200 response 400 from container metadata: ${body}\n`,
  "the AWS CLI": ({ body }) =>
    `\nError when retrieving credentials from container-role: Error retrieving metadata: Received non 200 response 400 from container metadata: ${body}\n`,
  "the SDK for Go": ({ message }) =>
    `operation error STS: GetCallerIdentity, get identity: get credentials: failed to refresh cached credentials, failed to load credentials, IdentityFailed: ${message}\n`,
  // Its chain goes on to the next provider and drops what this one said; the provider itself does tell.
  "the SDK for JavaScript": () => "Could not load credentials from any providers\n",
};

describe("where the server's profile is missing", () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  let said: { body: string; message: string };
  const address = () => `http://127.0.0.1:${server.port}/creds`;

  beforeAll(async () => {
    server = await startServer("http://127.0.0.1:9", { AWS_PROFILE: "nope" });
    const body = await (await server.get("/creds")).text();
    said = { body, message: JSON.parse(body).message };
    expect(said.message).toContain("AWS_PROFILE is 'nope'");
  });
  afterAll(() => server.stop());

  describeClients("fails as its users know it", (client) => {
    const shows = client.name === "the SDK for JavaScript" ? "without our sentence" : "with our sentence";
    test.concurrent(
      shows,
      async () => {
        const { exitCode, stderr } = await client.run({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: address() } });
        expect(exitCode).not.toBe(0);
        expect(stderr).toContain(TRANSCRIPTS[client.name]?.(said) ?? "a transcript");
      },
      TIMEOUT_MS,
    );
  });

  test.concurrent("the SDK for JavaScript has our sentence as `Message` of what fromHttp throws", async () => {
    const failure = await fromHttp({ awsContainerCredentialsFullUri: address() })().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).toMatchObject({ Code: "IdentityFailed", Message: said.message });
  });
});
