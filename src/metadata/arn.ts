interface TaskArn {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** What follows `task/`: the task's id, and before it the cluster's name in the long form. */
  readonly path: readonly string[];
}

/** Parts of `arn:<partition>:ecs:<region>:<account>:task/[<cluster>/]<id>`; undefined for what is none. */
function readTaskArn(arn: string): TaskArn | undefined {
  const [, partition, region, account, path] =
    /^arn:([^:]+):ecs:([^:]+):([^:]+):task\/([^/]+(?:\/[^/]+)*)$/.exec(arn) ?? [];
  if (!partition || !region || !account || !path) return undefined;
  return { partition, region, account, path: path.split("/") };
}

export function isTaskArn(text: string): boolean {
  return readTaskArn(text) !== undefined;
}

/** The first zone of the task's region; undefined if the ARN has no region. */
export function zoneOf(taskArn: string): string | undefined {
  const region = readTaskArn(taskArn)?.region;
  return region && `${region}a`;
}

/** A task's id, as log streams are named by it. */
export function taskIdOf(taskArn: string): string {
  return readTaskArn(taskArn)?.path.at(-1) ?? taskArn;
}

/**
 * An ARN for a container, as ECS writes it: of its task's ARN, and a UUID of the container's id. It is the same for as
 * long as the container lives. Undefined if the task's ARN is none.
 */
export function containerArnOf(taskArn: string, cluster: string, containerId: string): string | undefined {
  const task = readTaskArn(taskArn);
  if (task === undefined) return undefined;
  const clusterName = clusterNameOf(task, cluster);
  const uuid = containerId.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  const { partition, region, account } = task;
  return `arn:${partition}:ecs:${region}:${account}:container/${clusterName}/${task.path.at(-1)}/${uuid}`;
}

/**
 * An ARN for the machine, of the parts of its task's ARN and always the same. The agent says `null` until it is
 * registered, which we never are; but with anything other than a string Fluent Bit's ECS filter (plugins/filter_ecs)
 * adds nothing to any record. Undefined if the task's ARN is none.
 */
export function containerInstanceArnOf(taskArn: string, cluster: string): string | undefined {
  const task = readTaskArn(taskArn);
  if (task === undefined) return undefined;
  const clusterName = clusterNameOf(task, cluster);
  const id = new Bun.CryptoHasher("sha256").update(`container instance of ${clusterName}`).digest("hex").slice(0, 32);
  const { partition, region, account } = task;
  return `arn:${partition}:ecs:${region}:${account}:container-instance/${clusterName}/${id}`;
}

function clusterNameOf({ path }: TaskArn, cluster: string): string | undefined {
  return path.length > 1 ? path[0] : cluster.slice(cluster.lastIndexOf("/") + 1);
}
