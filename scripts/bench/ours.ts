/** All that our server is given of the environment: nothing of this machine's own settings has a part in the figures. */
export function oursEnv(port: number, home: string, engine: string, sts?: string): Record<string, string> {
  return {
    HOME: home,
    DOCKER_HOST: engine,
    ECS_LOCAL_METADATA_PORT: String(port),
    ECS_LOCAL_BIND_ADDRESS: "127.0.0.1",
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    ...(sts ? { STS_ENDPOINT: sts, AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "dummy" } : {}),
  };
}
