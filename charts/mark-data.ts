import type { Mark, Spec } from 'vega';

/**
 * The data set behind a layer's marks, in the Vega specification that Vega-Lite compiled.
 * @param layer the layer's `name` in the chart specification
 */
export function markData({ marks }: Spec, layer: string): string | undefined {
  const prefix = `${layer.replaceAll('-', '_')}_`;
  return search(marks ?? []);

  function search(among: readonly Mark[]): string | undefined {
    for (const mark of among) {
      if (mark.name?.startsWith(prefix)) return sourceOf(mark);
      const inside = 'marks' in mark ? search(mark.marks ?? []) : undefined;
      // A group passes its rows to the marks inside it under a private name.
      if (inside !== undefined) return inside === facetOf(mark)?.name ? sourceOf(mark) : inside;
    }
    return undefined;
  }
}

function sourceOf(mark: Mark): string | undefined {
  return facetOf(mark)?.data ?? mark.from?.data;
}

function facetOf({ from }: Mark): { name: string; data: string } | undefined {
  return from && 'facet' in from ? (from.facet as { name: string; data: string }) : undefined;
}
