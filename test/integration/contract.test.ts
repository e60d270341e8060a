import { serve } from "../../src/commands/serve.ts";
import { parseConfig } from "../../src/config/config.ts";
import { contract } from "../contract.ts";
import { startFakeAws } from "../support/fake-aws.ts";
import { freePort } from "../support/free-port.ts";

contract("the server in this process, with a fake STS", async (dockerHost) => {
  const aws = startFakeAws();
  const env = {
    HOME: "/nonexistent",
    DOCKER_HOST: dockerHost,
    ECS_LOCAL_METADATA_PORT: String(freePort()),
    ECS_LOCAL_LOG_LEVEL: "error",
    STS_ENDPOINT: aws.url,
    IAM_ENDPOINT: aws.url,
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "long-lived",
  };
  const { port, stop } = await serve(parseConfig(env), env, console.error);
  return { port, stop: () => stop("end of the test").finally(aws.stop) };
});
