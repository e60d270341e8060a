import { describe, expect, test } from "bun:test";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { createClientSettings } from "../../../src/aws/clients.ts";
import { parseConfig } from "../../../src/config/config.ts";
import { endAll, home, setVariable } from "../../support/credential-server.ts";

/** Where STS would be asked, without a connection: the handler is given what would be sent and sends nothing. */
async function stsHost(env: Record<string, string>, profileRegion: string | undefined): Promise<string> {
  let asked = "";
  const settings = createClientSettings(parseConfig(env).aws, env).sts(profileRegion);
  const client = new STSClient({
    ...settings,
    maxAttempts: 1,
    credentials: { accessKeyId: "a", secretAccessKey: "s" },
    requestHandler: {
      handle(request: { protocol: string; hostname: string }) {
        asked = `${request.protocol}//${request.hostname}`;
        throw new Error("nothing is sent");
      },
    },
  });
  await client.send(new GetCallerIdentityCommand({})).catch(() => {});
  return asked;
}

describe("STS is the region's own", () => {
  for (const [title, env, profileRegion, host] of [
    ["us-east-1 where nothing is said", {}, undefined, "https://sts.us-east-1.amazonaws.com"],
    ["that of the profile", {}, "eu-west-3", "https://sts.eu-west-3.amazonaws.com"],
    [
      "AWS_REGION before the profile's",
      { AWS_REGION: "eu-central-1" },
      "eu-west-3",
      "https://sts.eu-central-1.amazonaws.com",
    ],
    [
      "AWS_DEFAULT_REGION before the profile's",
      { AWS_DEFAULT_REGION: "eu-central-1" },
      "eu-west-3",
      "https://sts.eu-central-1.amazonaws.com",
    ],
    [
      "AWS_REGION before AWS_DEFAULT_REGION",
      { AWS_REGION: "eu-north-1", AWS_DEFAULT_REGION: "x" },
      undefined,
      "https://sts.eu-north-1.amazonaws.com",
    ],
    ["China's", { AWS_REGION: "cn-north-1" }, undefined, "https://sts.cn-north-1.amazonaws.com.cn"],
    ["GovCloud's", {}, "us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com"],
  ] as const) {
    test(title, async () => {
      setVariable("HOME", home({}));
      expect(await stsHost(env, profileRegion)).toBe(host);
      await endAll();
    });
  }
});
