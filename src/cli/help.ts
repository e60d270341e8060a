/** The texts below the options, wrapped at 80 columns. */
export const HELP = `
Answers on http://<address>:<port>:
  /creds                         credentials of your own identity
  /role/<name>, /role-arn/<arn>  credentials of a role
  /v2/metadata, /v2/stats        task metadata and stats, version 2
  /v4, /v4/task, /v4/stats       the same, versions 3 and 4
  /v4/containers/<name>          metadata of any container
  /api/task-protection/v1/state  task scale-in protection
  /health                        state of the server

Environment (docs/configuration.md lists all variables):
  ECS_LOCAL_METADATA_PORT        port (default: 80)
  ECS_LOCAL_BIND_ADDRESS         address to listen on (default: 127.0.0.1)
  AWS_PROFILE, AWS_REGION, ...   the identity, as for the AWS CLI
  DOCKER_HOST                    the engine (default: found automatically)

Exit codes: 0 success, 1 failed at run time, 2 wrong usage or configuration`;

export const DOCTOR_HELP = `
doctor changes nothing. With --start-containers it also starts a container of
the server's image on each network for a few seconds, and asks from inside.
Every finding and its remedy: docs/doctor.md

Exit codes: 0 no problem, 1 a problem, 2 wrong usage or configuration,
130, 143 and 129 ended by Ctrl-C, SIGTERM and SIGHUP`;

export const NETWORK_HELP = `
up asks the engine for its bridges unless --bridge names them. Run it again at
any time to apply a change. Details: docs/network.md

Exit codes: 0 success or complete; 1 failed or incomplete; 2 wrong usage`;
