/** Names in the files that we write. */
export const SERVER = "ecs-local-endpoints";
export const SERVER_FILE = `${SERVER}.yaml`;
export const NETWORK = "ecs-local";
export const SUBNET = "169.254.170.0/24";
/** The image that `./scripts/image` makes. */
export const IMAGE = `${SERVER}:dev`;
