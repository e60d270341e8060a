import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { editStats, isObject, type JsonObject, parseWithDigits } from "../../../src/engine/stats-sample.ts";

const IDENTITY = { id: "a", name: "box" };
const OWN = '"id":"x","name":"/x"';

function edit(text: string): string {
  const document = parseWithDigits(text) as JsonObject;
  return editStats(document, IDENTITY) ? JSON.stringify(document) : text;
}

describe("an id and a name are put in where they are missing", () => {
  for (const [title, sent, expected] of [
    ["both", "{}", '{"name":"/box","id":"a"}'],
    ["the name", '{"id":"x"}', '{"id":"x","name":"/box"}'],
    ["the id", '{"name":"/x"}', '{"name":"/x","id":"a"}'],
    ["an empty one", '{"name":"","id":"x"}', '{"name":"/box","id":"x"}'],
    ["Podman's, which is Id", '{"name":"x","Id":"x"}', '{"name":"x","Id":"x","id":"a"}'],
    ["none where both are there", `{ ${OWN} }`, `{ ${OWN} }`],
  ] as const) {
    test(title, () => {
      expect(edit(sent)).toBe(expected);
    });
  }
});

const CPU = '"total_usage":1,"usage_in_kernelmode":2,"usage_in_usermode":3';
const NO_CPU = '"total_usage":0,"usage_in_kernelmode":0,"usage_in_usermode":0';
const NET =
  '"rx_bytes":1,"rx_packets":2,"rx_errors":3,"rx_dropped":4,"tx_bytes":5,"tx_packets":6,"tx_errors":7,"tx_dropped":8';
const NO_NET = NET.replace(/\d/g, "0");

describe("what clients read without asking", () => {
  for (const [title, sent, expected] of [
    ["CPU of an empty usage", '"cpu_stats":{"cpu_usage":{}},"precpu_stats":{"cpu_usage":{}}', undefined],
    ["CPU of a usage that is null", `"cpu_stats":{"cpu_usage":{"total_usage":null}},"precpu_stats":null`, undefined],
    [
      "CPU's earlier reading",
      `"cpu_stats":{"cpu_usage":{${CPU}}},"precpu_stats":{}`,
      `"cpu_stats":{"cpu_usage":{${CPU}}},"precpu_stats":{"cpu_usage":{${NO_CPU}}}`,
    ],
    ["an interface without counters", '"networks":{"eth0":{}}', `"networks":{"eth0":{${NO_NET}}}`],
    [
      "one interface of two",
      `"networks":{"eth0":{${NET}},"eth1":{"tx_bytes":18446744073709551615}}`,
      `"networks":{"eth0":{${NET}},"eth1":{"tx_bytes":18446744073709551615,${NO_NET.replace(',"tx_bytes":0', "")}}}`,
    ],
    [
      "a block operation without a value",
      '"blkio_stats":{"io_service_bytes_recursive":[{"op":"Read"}]}',
      '"blkio_stats":{"io_service_bytes_recursive":[{"op":"Read","major":0,"minor":0,"value":0}]}',
    ],
  ] as const) {
    test(title, () => {
      const filled = `"cpu_stats":{"cpu_usage":{${NO_CPU}}},"precpu_stats":{"cpu_usage":{${NO_CPU}}}`;
      expect(edit(`{${OWN},${sent}}`)).toBe(`{${OWN},${expected ?? filled}}`);
    });
  }
});

describe("a document that clients understand stays the engine's own text", () => {
  for (const [title, text] of [
    ["cgroup v1", `"cpu_stats":{"cpu_usage":{${CPU},"percpu_usage":[1, 2]}},"precpu_stats":{"cpu_usage":{${NO_CPU}}}`],
    ["no CPU usage", '"cpu_stats":{},"precpu_stats":{}'],
    ["interfaces", `"networks" : {"eth0":{${NET}}}`],
    ["no interfaces", '"networks":null'],
    ["no block operations", '"blkio_stats":{"io_service_bytes_recursive":null,"sectors_recursive":[]}'],
    [
      "block operations",
      '"blkio_stats":{"io":[{"op":"Read","major":8,"minor":0,"value":1},{"op":"Total","major":8,"minor":0,"value":1}]}',
    ],
    ["zero times", '"preread":"0001-01-01T00:00:00Z"'],
    ["what is elsewhere", '"other":{"op":"read","cpu_usage":{},"networks":{"eth0":{}}}'],
    ["what is of another kind", '"networks":[{}],"cpu_stats":5,"blkio_stats":{"io":[null,5],"other":{"x":{}}}'],
  ] as const) {
    test(title, () => {
      expect(edit(`{ ${OWN}, ${text} }`)).toBe(`{ ${OWN}, ${text} }`);
    });
  }
});

describe("a block operation is spelled as on cgroup v1", () => {
  for (const [sent, expected] of [
    ["read", "Read"],
    ["write", "Write"],
    ["sync", "Sync"],
    ["async", "Async"],
    ["discard", "Discard"],
    ["total", "Total"],
    ["TOTAL", "Total"],
    ["Read", "Read"],
    ["rmw", "rmw"],
    ["", ""],
  ] as const) {
    test(`${sent || "none"} as ${expected || "none"}, in every list`, () => {
      const lists = (op: string) =>
        ["io_service_bytes", "io_serviced", "sectors"]
          .map((name) => `"${name}_recursive":[{"major":8,"minor":0,"op":"${op}","value":18446744073709551615}]`)
          .join(",");
      expect(edit(`{${OWN},"blkio_stats":{${lists(sent)}}}`)).toBe(`{${OWN},"blkio_stats":{${lists(expected)}}}`);
    });
  }
});

/** Numbers as text, so that two documents are equal only if their digits are. */
function digitsOf(text: string): unknown {
  const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  return JSON.parse(text.replace(token, (found) => (found.startsWith('"') ? found : `"# ${found}"`)));
}

const digits = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.stringMatching(/^-?(0|[1-9]\d{0,30})(\.\d{1,30})?([eE][+-]?\d{1,3})?$/),
);
const NAMES =
  "id name networks cpu_stats precpu_stats cpu_usage blkio_stats op value rx_bytes io_service_bytes_recursive read";
const key = fc.oneof(fc.constantFrom(...NAMES.split(" "), "__proto__", "toString"), fc.string());
const string = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("read", "Write", ""));
const { value: json } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    digits,
    string.map((text) => JSON.stringify(text)),
    fc.constantFrom("null", "true", "false"),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(" , ")}]`),
    objectOf(tie("value")),
  ),
}));

function objectOf(value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .uniqueArray(fc.tuple(key, value), { maxLength: 6, selector: ([name]) => name })
    .map((entries) => `{${entries.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(", ")}}`);
}

/** As far as the edits look, of the shape that they look for. */
const stats = fc
  .record({
    cpu: objectOf(json),
    before: json,
    one: objectOf(json),
    entry: objectOf(json),
    more: fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,4}$/), json), { selector: ([name]) => name }),
  })
  .map(({ cpu, before, one, entry, more }) => {
    const named = `"cpu_stats":{"cpu_usage":${cpu}},"precpu_stats":${before},"networks":{"eth0":${one}}`;
    const rest = more.map(([name, text]) => `,${JSON.stringify(`x${name}`)}:${text}`).join("");
    return `{${named},"blkio_stats":{"io_service_bytes_recursive":[${entry}]}${rest}}`;
  });

const ZERO = "# 0";
/** The only places where the edited document may differ, by what was there before. */
const EDITS: readonly (readonly [place: RegExp, allowed: (before: unknown, after: unknown) => boolean])[] = [
  [/^\.(id|name)$/, (before, after) => !before && /^(a|\/box)$/.test(String(after))],
  [/^\.(pre)?cpu_stats\.cpu_usage\.(total_usage|usage_in_(kernel|user)mode)$/, isFilled],
  [/^\.networks\..*\.[rt]x_(bytes|packets|errors|dropped)$/s, isFilled],
  [/^\.blkio_stats\..*\.(major|minor|value)$/s, isFilled],
  [/^\.blkio_stats\..*\.op$/s, (before, after) => String(before).toLowerCase() === String(after).toLowerCase()],
];

function isFilled(before: unknown, after: unknown): boolean {
  return (before ?? undefined) === undefined && after === ZERO;
}

/** The places where they differ and may not. */
function differences(before: unknown, after: unknown, place = ""): string[] {
  if (Bun.deepEquals(before, after, true)) return [];
  if (EDITS.some(([where, allowed]) => where.test(place) && allowed(before, after))) return [];
  const isMade = /^\.precpu_stats(\.cpu_usage)?$/.test(place) && !isObject(before);
  const old = isMade ? {} : before;
  if (typeof old !== "object" || typeof after !== "object" || old === null || after === null) return [place];
  if (Array.isArray(old) !== Array.isArray(after)) return [place];
  const names = new Set([...Object.keys(old), ...Object.keys(after)]);
  return [...names].flatMap((name) => differences(own(old, name), own(after, name), `${place}.${name}`));
}

const own = (object: object, name: string): unknown => Object.getOwnPropertyDescriptor(object, name)?.value;

describe("whatever the engine sends", () => {
  for (const [title, documents] of [
    ["in any document", objectOf(json)],
    ["in a document of statistics", stats],
  ] as const) {
    test(`every number keeps its digits ${title}, and nothing but the named edits is changed`, () => {
      fc.assert(
        fc.property(documents, (text) => {
          expect(differences(digitsOf(text), digitsOf(edit(text)))).toEqual([]);
        }),
        { numRuns: 500 },
      );
    });
  }
});
