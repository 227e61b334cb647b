import type { Client } from '@opensearch-project/opensearch';
import type { Ticker } from '../../core/market/ticker.ts';
import { indexTemplates } from '../../stores/opensearch/index-templates.ts';
import { OLDER_TEMPLATE } from '../older-template.ts';
import { bulkBodies, documentsOf, RawClient } from '../raw-bulk.ts';
import { recordedTickers } from '../recorded-tickers.ts';
import { serverCpuSeconds } from '../server-cpu.ts';
import { type BenchContext, inRounds, resultOf, type Target, type TargetResult } from '../target.ts';
import { makeTickers } from '../tickers.ts';

/** As many as were recorded. */
const DOCUMENTS = 75_000;
const INDEX = 'bench-shape';

interface Figures {
  docsPerSecond: number;
  /** OpenSearch's own, for 100,000 tickers, until its merges end. */
  cpuSeconds: number;
  /** A ticker, in one segment. */
  bytes: number;
}

interface Shape {
  settings: { index: object };
  mappings?: object;
}

/** As on AWS. */
const SETTINGS = { shards: 1, replicas: 0, refreshInterval: '30s' };
const PRESENT = indexTemplates(SETTINGS)['crypto-market-insights-tickers']?.template as Shape;
const OLDER: Shape = OLDER_TEMPLATE.template;
/** What the article let OpenSearch guess: floats, and text with a keyword sub-field. */
const GUESSED: Shape = { settings: { index: { number_of_replicas: 0 } } };

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
  const indexed = (shape: Shape, connections?: number) => indexInto(context, shape, tickers, connections);
  // One request at a time: two would guess differently.
  const guessed = await indexed(GUESSED, 1);
  // In turns, because the first is disturbed by what came before.
  const inTurns = async (round: number) => {
    const [first, second] = round % 2 === 0 ? [PRESENT, OLDER] : [OLDER, PRESENT];
    const figures = [await indexed(first), await indexed(second)] as [Figures, Figures];
    const [present, older] = round % 2 === 0 ? figures : figures.toReversed();
    return { present, older } as Record<'present' | 'older', Figures>;
  };
  const runs = await inRounds(context, `index shape, ${kind} tickers`, inTurns, describe);
  const last = runs.at(-1);
  return [
    resultOf(
      `OpenSearch CPU, ${kind} tickers / older template`,
      runs.map(({ present, older }) => present.cpuSeconds / older.cpuSeconds),
      { atMost: 0.5 },
      { unit: '×', note: last ? `last round: ${describe(last)}` : '' },
    ),
    resultOf(
      `index size, ${kind} tickers / dynamic mapping`,
      runs.map(({ present }) => present.bytes / guessed.bytes),
      { atMost: 0.6 },
      { unit: '×', note: `dynamic mapping ${guessed.bytes.toFixed(0)} bytes a ticker` },
    ),
  ];
}

const describe = (round: Record<string, Figures>) =>
  Object.entries(round)
    .map(
      ([name, { docsPerSecond, cpuSeconds, bytes }]) =>
        `${name} ${Math.round(docsPerSecond)} docs/s, ${cpuSeconds.toFixed(2)} s for 100,000, ${bytes.toFixed(0)} bytes a ticker`,
    )
    .join('; ');

async function indexInto(
  { openSearch, urls }: BenchContext,
  { settings, mappings = {} }: Shape,
  tickers: readonly Ticker[],
  connections = 2,
): Promise<Figures> {
  const index = {
    ...settings.index,
    refresh_interval: SETTINGS.refreshInterval,
    // Otherwise OpenSearch remembers sizes for 10 s.
    'store.stats_refresh_interval': '0s',
  };
  await openSearch.indices.create({ index: INDEX, body: { settings: { index }, mappings } });
  const bodies = [...bulkBodies(documentsOf(tickers, INDEX))];
  const raw = new RawClient(urls.openSearch, connections);
  const cpuBefore = await serverCpuSeconds(openSearch);
  const startedMs = performance.now();
  await raw.bulk(bodies);
  await openSearch.indices.refresh({ index: INDEX });
  const seconds = (performance.now() - startedMs) / 1_000;
  raw.close();
  await untilMerged(openSearch);
  const cpu = (await serverCpuSeconds(openSearch)) - cpuBefore;
  const bytes = await mergedBytes(openSearch);
  await openSearch.indices.delete({ index: INDEX });
  return {
    docsPerSecond: tickers.length / seconds,
    cpuSeconds: (cpu / tickers.length) * 100_000,
    bytes: bytes / tickers.length,
  };
}

async function untilMerged(openSearch: Client): Promise<void> {
  for (;;) {
    const { body } = await openSearch.indices.stats({ index: INDEX, metric: 'merge' });
    if (body._all?.total?.merges?.current === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function mergedBytes(openSearch: Client): Promise<number> {
  await openSearch.indices.forcemerge({ index: INDEX, max_num_segments: 1 }, { requestTimeout: 120_000 });
  await openSearch.indices.refresh({ index: INDEX });
  const { body } = await openSearch.indices.stats({ index: INDEX, metric: 'store' });
  return body.indices?.[INDEX]?.primaries?.store?.size_in_bytes ?? Number.NaN;
}
