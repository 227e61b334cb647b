import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, errors } from '@opensearch-project/opensearch';
import { TICKER_INDICES } from '../../core/market/index-names.ts';
import { percentile } from '../../local/pipeline/closing-report.ts';
import { serveLinearTickers } from '../exchange.ts';
import { emptyTickers } from '../race.ts';
import { type BenchContext, resultOf, type Target } from '../target.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const SYMBOLS = 500;
const POLLS = 30;
const INTERVAL_MS = 1_000;
/** As in `npm start`. */
const REFRESH_MS = 1_000;

/** The slots whose tickers can all be found. */
const COMPLETE_SLOTS: object = {
  size: 0,
  aggs: { slots: { terms: { field: 'slot', size: POLLS * 2, min_doc_count: SYMBOLS } } },
};

/** From a slot until a search finds all of its tickers, while the pipeline polls once per second. */
export const latency: Target = async (context) => {
  const list = Array.from({ length: SYMBOLS }, (_, index) => ({
    symbol: `COIN${index}USDT`,
    lastPrice: '1.5',
  }));
  const exchange = await serveLinearTickers(list);
  await emptyTickers(context.openSearch);
  const { urls } = context;
  const pipeline = spawn(
    process.execPath,
    [
      MAIN,
      'start',
      ...['--polls', `${POLLS}`, '--interval', `${INTERVAL_MS}`, '--folder', `${context.folder}/latency`],
      ...['--source-url', exchange.url],
      ...['--kafka', urls.kafka, '--opensearch', urls.openSearch, '--s3', urls.s3],
    ],
    { stdio: 'ignore' },
  );
  const ended = once(pipeline, 'exit');
  try {
    const latencies = await searchableAfter(context, pipeline);
    const p95 = percentile(latencies.slice(3), 95); // the first polls are for warm-up
    const note = `p50 ${percentile(latencies, 50).toFixed(0)} ms, ${latencies.length} polls, refresh ${REFRESH_MS} ms`;
    return [resultOf('poll → searchable, p95', [p95], { atMost: REFRESH_MS + 500 }, { unit: 'ms', note })];
  } finally {
    pipeline.kill('SIGTERM');
    await ended;
    await exchange.close();
  }
};

/** For each slot, in order, the ms until a search first found all of its tickers. */
async function searchableAfter(
  { openSearch }: BenchContext,
  pipeline: { exitCode: number | null },
): Promise<number[]> {
  const found = new Map<number, number>();
  while (found.size < POLLS && pipeline.exitCode === null) {
    for (const key of await completeSlots(openSearch)) if (!found.has(key)) found.set(key, Date.now() - key);
    await wait(20);
  }
  return [...found.entries()].sort(([a], [b]) => a - b).map(([, ms]) => ms);
}

/** Epoch ms; none while the month's index is being created. */
async function completeSlots(openSearch: Client): Promise<number[]> {
  try {
    const { body } = await openSearch.search({ index: TICKER_INDICES, body: COMPLETE_SLOTS });
    const { buckets = [] } = (body.aggregations?.slots ?? {}) as { buckets?: { key: number }[] };
    return buckets.map(({ key }) => key);
  } catch (error) {
    if (error instanceof errors.ResponseError && error.statusCode === 503) return [];
    throw error;
  }
}
