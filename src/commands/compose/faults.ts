import { type Document, isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq, type Node, visit } from "yaml";

/** What the aliases of one file may stand for together. */
const NODES_MAX = 100_000;

/** Where a document's key or alias is wrong. */
interface Fault {
  /** What is wrong, without the document's own words: they may be secret. */
  readonly what: string;
  /** Characters from the text's beginning. */
  readonly offset: number;
  /** Whether Compose may take it. */
  readonly isOwnLimit?: boolean;
}

/** The first alias that the document cannot be read with: without its anchor, in itself, for too much; or no map merged. */
export function aliasFault(document: Document): Fault | undefined {
  const anchors = new Map<string, Node>();
  const sizes = new Map<Node, number>();
  const open = new Set<Node>();
  let expanded = 0;
  let fault: Fault | undefined;
  const found = (what: string, node: Node, isOwnLimit = false) => {
    fault ??= { what, offset: node.range?.[0] ?? 0, isOwnLimit };
    return 0;
  };
  const target = (node: unknown): unknown => (isAlias(node) ? anchors.get(node.source) : node);

  /** How many nodes there are with every alias replaced, which is what reading costs. */
  function size(node: unknown): number {
    if (fault !== undefined) return 0;
    if (isPair(node)) {
      const all = size(node.key) + size(node.value);
      const isMerge = isScalar(node.key) && node.key.type === "PLAIN" && node.key.source === "<<";
      return isMerge && !isMerged(node.value) ? found("a merge key without a map", node.key as Node) : all;
    }
    if (isAlias(node)) {
      const anchored = anchors.get(node.source);
      if (anchored === undefined) return found("an alias without its anchor", node);
      if (open.has(anchored)) return found("an alias inside what it stands for", node);
      const all = sizes.get(anchored) ?? 0;
      expanded += all;
      return expanded > NODES_MAX ? found("aliases that stand for too much", node, true) : all;
    }
    if (!isNode(node)) return 0;
    if (!isCollection(node)) return kept(node, 1);
    // Before what is in it: an alias in there means this node.
    if (node.anchor) anchors.set(node.anchor, node);
    open.add(node);
    const all = node.items.reduce<number>((sum, item) => sum + size(item), 1);
    open.delete(node);
    sizes.set(node, all);
    return all;
  }
  function kept(node: Node, all: number): number {
    if (isScalar(node) && node.anchor) anchors.set(node.anchor, node);
    sizes.set(node, all);
    return all;
  }
  function isMerged(value: unknown): boolean {
    const source = target(value);
    return isMap(source) || (isSeq(source) && source.items.every((item) => isMap(target(item))));
  }

  size(document.contents);
  return fault;
}

/** The first key that a map has twice. The parser's own look for them takes minutes for some megabytes: each with each. */
export function duplicateKey(document: Document): Fault | undefined {
  let fault: Fault | undefined;
  visit(document, {
    Map(_, { items }) {
      const values = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (values.has(key.value)) fault ??= { what: "a key twice", offset: key.range?.[0] ?? 0 };
        values.add(key.value);
      }
      return fault && visit.BREAK;
    },
  });
  return fault;
}
