import type { Client } from '@opensearch-project/opensearch';
import type { Ticker } from '../../core/market/ticker.ts';
import { INDEX_SETTINGS } from '../../local/pipeline/resources.ts';
import { indexTemplates } from '../../stores/opensearch/index-templates.ts';
import { OLDER_TEMPLATE } from '../older-template.ts';
import { bulkBodies, documentsOf, RawClient } from '../raw-bulk.ts';
import { recordedTickers } from '../recorded-tickers.ts';
import { serverCpuSeconds } from '../server-cpu.ts';
import { type BenchContext, inRounds, resultOf, type Target, type TargetResult } from '../target.ts';
import { makeTickers } from '../tickers.ts';

/** As many as were recorded. */
const DOCUMENTS = 75_000;
const CONNECTIONS = 2;

interface Figures {
  docsPerSecond: number;
  /** OpenSearch's own, for 100,000 tickers, until its merges end. */
  cpuSeconds: number;
  /** In one segment. */
  bytes: number;
}

/** What the article let OpenSearch guess: floats, and text with a keyword sub-field. */
const GUESSED = { settings: { index: { number_of_replicas: 0 } } };

/** The tickers' index template, compared with the one before every field had a column, and with none. */
export const indexShape: Target = async (context) => [
  ...(await compare(context, 'made-up', makeTickers(DOCUMENTS))),
  ...(await compare(context, 'recorded', await recordedTickers(DOCUMENTS))),
];

async function compare(
  context: BenchContext,
  kind: string,
  tickers: readonly Ticker[],
): Promise<TargetResult[]> {
  const present = indexTemplates(INDEX_SETTINGS)['crypto-market-insights-tickers']?.template as {
    aliases?: object;
  };
  const { aliases: _, ...shape } = present;
  const { aliases: __, ...older } = OLDER_TEMPLATE.template;
  const measure = async () => ({
    present: await indexed(context, shape, tickers),
    older: await indexed(context, older, tickers),
    guessed: await indexed(context, GUESSED, tickers),
  });
  type Round = Awaited<ReturnType<typeof measure>>;
  const runs = await inRounds(context, `index shape, ${kind} tickers`, measure, describe);
  const ratios = (of: (round: Round) => number) => runs.map(of);
  const last = runs.at(-1);
  return [
    resultOf(
      `OpenSearch CPU, ${kind} tickers / older template`,
      ratios(({ present, older }) => present.cpuSeconds / older.cpuSeconds),
      { atMost: 0.5 },
      { unit: '×', note: last ? `last round: ${describe(last)}` : '' },
    ),
    resultOf(
      `index size, ${kind} tickers / dynamic mapping`,
      ratios(({ present, guessed }) => present.bytes / guessed.bytes),
      { atMost: 0.6 },
      { unit: '×' },
    ),
  ];
}

const describe = (round: Record<'present' | 'older' | 'guessed', Figures>) =>
  Object.entries(round)
    .map(
      ([name, { docsPerSecond, cpuSeconds, bytes }]) =>
        `${name} ${Math.round(docsPerSecond)} docs/s, ${cpuSeconds.toFixed(2)} s, ${bytes.toFixed(0)} B`,
    )
    .join('; ');

async function indexed(
  { openSearch, urls }: BenchContext,
  shape: object,
  tickers: readonly Ticker[],
): Promise<Figures> {
  const index = 'bench-shape';
  await openSearch.indices.create({ index, body: shape });
  const bodies = [...bulkBodies(documentsOf(tickers, index))];
  const raw = new RawClient(urls.openSearch, CONNECTIONS);
  const cpuBefore = await serverCpuSeconds(openSearch);
  const startedMs = performance.now();
  await raw.bulk(bodies);
  await openSearch.indices.refresh({ index });
  const seconds = (performance.now() - startedMs) / 1_000;
  raw.close();
  await untilMerged(openSearch, index);
  const cpu = (await serverCpuSeconds(openSearch)) - cpuBefore;
  await openSearch.indices.forcemerge({ index, max_num_segments: 1 }, { requestTimeout: 120_000 });
  await openSearch.indices.refresh({ index });
  const { body } = await openSearch.indices.stats({ index, metric: 'store' });
  const bytes = body.indices?.[index]?.primaries?.store?.size_in_bytes ?? Number.NaN;
  await openSearch.indices.delete({ index });
  return {
    docsPerSecond: tickers.length / seconds,
    cpuSeconds: (cpu / tickers.length) * 100_000,
    bytes: bytes / tickers.length,
  };
}

async function untilMerged(openSearch: Client, index: string): Promise<void> {
  for (;;) {
    const { body } = await openSearch.indices.stats({ index, metric: 'merge' });
    if (body._all?.total?.merges?.current === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
