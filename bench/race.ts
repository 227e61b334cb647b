import type { Client } from '@opensearch-project/opensearch';
import { TICKER_INDICES } from '../core/market/index-names.ts';

/** One way of indexing documents, stretch by stretch. */
export interface Side {
  index: string;
  /** The total number of documents. */
  documents: number;
  bring(stretch: number): Promise<void>;
}

/**
 * Searchable documents per second of each side. The sides take turns at every stretch, so that other load on the machine
 * slows all of them. The first two swap places at every stretch, so that each equally often follows the other, whose
 * segments OpenSearch may still be merging.
 * @param begins which of the two starts
 */
export async function race<Name extends string>(
  openSearch: Client,
  sides: Record<Name, Side>,
  stretches: number,
  begins: number,
): Promise<Record<Name, number>> {
  const entries = Object.entries<Side>(sides) as [Name, Side][];
  const tookMs = new Map<Name, number>();
  await emptyTickers(openSearch);
  for (let stretch = 0; stretch < stretches; stretch++) {
    const [first, second, ...others] = entries;
    const order = (stretch + begins) % 2 === 0 ? [first, second] : [second, first];
    for (const [name, side] of [...order, ...others].filter((each) => each !== undefined)) {
      const startedMs = performance.now();
      await side.bring(stretch);
      await openSearch.indices.refresh({ index: side.index });
      tookMs.set(name, (tookMs.get(name) ?? 0) + performance.now() - startedMs);
    }
  }
  const rates: [Name, number][] = [];
  for (const [name, { index, documents }] of entries) {
    const { body } = await openSearch.count({ index });
    if (body.count !== documents) {
      throw new Error(`${body.count} documents are searchable in ${index}, not ${documents}.`);
    }
    rates.push([name, (documents / (tookMs.get(name) ?? Number.NaN)) * 1_000]);
  }
  return Object.fromEntries(rates) as Record<Name, number>;
}

/** Deletes every `tickers-*` index. */
export async function emptyTickers(openSearch: Client): Promise<void> {
  const { body } = await openSearch.indices.get({ index: TICKER_INDICES, allow_no_indices: true });
  const names = Object.keys(body);
  if (names.length > 0) await openSearch.indices.delete({ index: names.join(',') });
}

/** Splits the items into equal stretches. */
export function inStretches<T>(items: readonly T[], stretches: number): T[][] {
  return Array.from({ length: stretches }, (_, stretch) =>
    items.slice(
      Math.floor((stretch * items.length) / stretches),
      Math.floor(((stretch + 1) * items.length) / stretches),
    ),
  );
}
