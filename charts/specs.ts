import { type ColourName, PALETTE } from './palette.ts';

/** Replaces each node of a specification by what `change` makes of it. Replaced nodes are not walked again. */
export function mapNodes(node: unknown, change: (node: unknown) => unknown): unknown {
  const changed = change(node);
  if (changed !== node) return changed;
  if (Array.isArray(node)) return node.map((each) => mapNodes(each, change));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, mapNodes(value, change)]));
}

/** The name of the data set that a node such as `{data: {name: 'ticks'}}` refers to. */
export function dataName(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null || !('name' in node)) return undefined;
  return Object.keys(node).length === 1 && typeof node.name === 'string' ? node.name : undefined;
}

/** The names of all data sets that a specification refers to. */
export function dataNames(spec: unknown): string[] {
  const names = new Set<string>();
  mapNodes(spec, (node) => {
    const name = dataName(node);
    if (name !== undefined) names.add(name);
    return node;
  });
  return [...names];
}

/** `var(--main)` → the palette's colour, for renderers without CSS variables. */
export function literalColours(spec: unknown): unknown {
  return mapNodes(spec, (node) => {
    const name = typeof node === 'string' ? /^var\(--(\w+)\)$/.exec(node)?.[1] : undefined;
    return name === undefined ? node : PALETTE[name as ColourName];
  });
}

/** A time scale that spans the chart's window; any other node as it is. */
export function spanningWindow(node: unknown): unknown {
  const isTimeScale = typeof node === 'object' && node !== null && 'type' in node && node.type === 'utc';
  return isTimeScale ? { ...node, domain: { expr: '[windowStart, windowEnd]' } } : node;
}
