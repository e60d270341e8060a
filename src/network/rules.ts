import { TASK_ADDRESS } from "../engine/ip-address.ts";

export type Table = "raw" | "filter" | "nat";

/** A rule in the spelling of `iptables -S`, so that listed rules can be compared with it. */
export interface Rule {
  readonly table: Table;
  readonly chain: string;
  readonly text: string;
  /** What it does, for `status`. */
  readonly purpose: string;
}

/** A bridge whose containers reach the server. */
export interface Bridge {
  readonly name: string;
  /** Identifies the interface after a rename. */
  readonly ifindex: number;
  /** Its `route_localnet` before `network up`. */
  readonly was: string;
}

const LOOPBACK = "127.0.0.0/8";
const MARK = "-m comment --comment ecs-local-endpoints";
const TO_TASK = `-d ${TASK_ADDRESS}/32 -p tcp -m tcp --dport 80`;

/** Our chains in the order in which they are added: the guards come before anything is let in. */
export const CHAINS: readonly {
  readonly table: Table;
  readonly name: string;
  readonly hook: string;
  readonly match: string;
}[] = [
  { table: "raw", name: "ECS-LOCAL-GUARD", hook: "PREROUTING", match: "! -i lo" },
  { table: "filter", name: "ECS-LOCAL-INPUT", hook: "INPUT", match: `-d ${LOOPBACK} ! -i lo` },
  { table: "nat", name: "ECS-LOCAL-OUTPUT", hook: "OUTPUT", match: TO_TASK },
  { table: "nat", name: "ECS-LOCAL-PREROUTING", hook: "PREROUTING", match: TO_TASK },
];

/** The rules of the built-in chains that lead to ours. They are the same for every port and bridge. */
export const JUMPS: readonly Rule[] = CHAINS.map(({ table, name, hook, match }) => ({
  table,
  chain: hook,
  text: `${match} ${MARK} -j ${name}`,
  purpose: `${hook} of ${table} leads to ${name}`,
}));

/**
 * The rules of our chains.
 *
 * @param port of the server on 127.0.0.1
 * @param bridges from which containers come; programs of this machine are always let in
 */
export function rulesOf(port: number, bridges: readonly Pick<Bridge, "name" | "was">[]): readonly Rule[] {
  const to = `127.0.0.1:${port}`;
  const raw = (text: string, purpose: string) => rule("raw", "ECS-LOCAL-GUARD", `${text} ${MARK} -j DROP`, purpose);
  const input = (text: string, purpose: string) => rule("filter", "ECS-LOCAL-INPUT", text, purpose);
  return [
    // CVE-2020-8558, as kube-proxy closes it. raw comes before every DNAT, so it sees the real destination.
    raw(`! -s ${LOOPBACK} -d ${LOOPBACK} ! -i lo`, `packets from outside to ${LOOPBACK} are dropped`),
    // Without a reverse path filter the kernel accepts these. A VRF may have such an address itself.
    raw(
      `-s ${LOOPBACK} -d ${LOOPBACK} ! -i lo -m addrtype ! --src-type LOCAL --limit-iface-in`,
      `packets from outside with a source in ${LOOPBACK} are dropped`,
    ),
    ...bridges.map(({ name }) =>
      raw(`-s ${LOOPBACK} -i ${name}`, `packets from ${name} with a source in ${LOOPBACK} are dropped`),
    ),
    ...bridges.flatMap(({ name, was }) => [
      input(
        `-d 127.0.0.1/32 -i ${name} -p tcp -m tcp --dport ${port} ${MARK} -j ACCEPT`,
        `containers on ${name} may connect to ${to}`,
      ),
      // If route_localnet was 1 already, another program may depend on it.
      ...(was === "1"
        ? []
        : [
            input(
              `-d ${LOOPBACK} -i ${name} -m conntrack --ctstate NEW ${MARK} -j DROP`,
              `containers on ${name} may connect to nothing else on ${LOOPBACK}`,
            ),
          ]),
    ]),
    rule(
      "nat",
      "ECS-LOCAL-OUTPUT",
      `${TO_TASK} ${MARK} -j REDIRECT --to-ports ${port}`,
      `${TASK_ADDRESS}:80 leads programs of this machine to ${to}`,
    ),
    ...bridges.map(({ name }) =>
      rule(
        "nat",
        "ECS-LOCAL-PREROUTING",
        `-d ${TASK_ADDRESS}/32 -i ${name} -p tcp -m tcp --dport 80 ${MARK} -j DNAT --to-destination ${to}`,
        `${TASK_ADDRESS}:80 leads containers on ${name} to ${to}`,
      ),
    ),
  ];
}

function rule(table: Table, chain: string, text: string, purpose: string): Rule {
  return { table, chain, text, purpose };
}

/**
 * The input of `iptables-restore --noflush` that replaces our chains in one table and adds the missing jumps to them.
 *
 * @param listed the table's rules, as `-A CHAIN ...`
 */
export function restoreText(table: Table, rules: readonly Rule[], listed: readonly string[]): string {
  const missing = JUMPS.filter((jump) => jump.table === table && !listed.includes(lineOf(jump)));
  return [
    `*${table}`,
    // Naming a chain creates it, or empties it.
    ...CHAINS.filter((chain) => chain.table === table).map(({ name }) => `:${name} - [0:0]`),
    ...rules.filter((each) => each.table === table).map(lineOf),
    ...missing.map(({ chain, text }) => `-I ${chain} 1 ${text}`),
    "COMMIT\n",
  ].join("\n");
}

/** The input of `iptables-restore --noflush` that removes our chains from one table; undefined if there are none. */
export function removeText(table: Table, listed: readonly string[]): string | undefined {
  const chains = CHAINS.filter((chain) => chain.table === table && listed.includes(`-N ${chain.name}`));
  const jumps = JUMPS.filter((jump) => jump.table === table);
  if (chains.length === 0) return undefined;
  return [
    `*${table}`,
    ...listed.filter((line) => jumps.some((jump) => lineOf(jump) === line)).map((line) => line.replace(/^-A/, "-D")),
    ...chains.flatMap(({ name }) => [`-F ${name}`, `-X ${name}`]),
    "COMMIT\n",
  ].join("\n");
}

/** A rule as `iptables -S` lists it. */
export function lineOf({ chain, text }: Rule): string {
  return `-A ${chain} ${text}`;
}

/** Rules of other programs that lead to our chains: they keep the chains from being removed. */
export function foreignJumps(
  table: Table,
  listed: readonly string[],
): readonly { readonly chain: string; readonly number: number; readonly line: string }[] {
  const numbers = new Map<string, number>();
  const own = JUMPS.filter((jump) => jump.table === table).map(lineOf);
  return listed.flatMap((line) => {
    const [, chain, target] = /^-A (\S+)(?: .*)? -[jg] (\S+)$/s.exec(line) ?? [];
    const [, any = ""] = /^-A (\S+)/.exec(line) ?? [];
    const number = (numbers.get(any) ?? 0) + 1;
    numbers.set(any, number);
    const leadsToUs = CHAINS.some((each) => each.table === table && each.name === target);
    return chain === undefined || !leadsToUs || own.includes(line) ? [] : [{ chain, number, line }];
  });
}

/** Whether our chains of a table hold exactly these rules, in this order, and are led to. */
export function isInPlace(table: Table, rules: readonly Rule[], listed: readonly string[]): boolean {
  const chains = CHAINS.filter((chain) => chain.table === table);
  const isOurs = (line: string) => chains.some(({ name }) => line.startsWith(`-A ${name} `));
  const hasJumps = JUMPS.every((jump) => jump.table !== table || listed.includes(lineOf(jump)));
  const wanted = rules.filter((each) => each.table === table).map(lineOf);
  const hasChains = chains.every(({ name }) => listed.includes(`-N ${name}`));
  return hasJumps && hasChains && listed.filter(isOurs).toSorted().join("\n") === wanted.toSorted().join("\n");
}
