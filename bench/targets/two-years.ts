import { candleId } from '../../core/market/candle.ts';
import { CANDLE_INDICES, candleIndexOf, TICKER_INDICES } from '../../core/market/index-names.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import { percentile } from '../../local/pipeline/closing-report.ts';
import { candleRecord } from '../../stores/opensearch/candle-record.ts';
import { candlesOf, END_MS, HOURS, symbolOf } from '../candles.ts';
import { lambdaContext } from '../functions.ts';
import { type BulkDocument, bulkBodies, documentsOf, RawClient } from '../raw-bulk.ts';
import { type BenchContext, resultOf, type Target } from '../target.ts';
import { makeTickers } from '../tickers.ts';

const SERIES = 600;
const NOW = new Date(END_MS).toISOString();
const AVERAGES = 200;
const RANKINGS = 30;
const TICKS = 200_000;

/** Questions over one and two years with 600 series of hourly candles: 10.5 million documents. */
export const twoYears: Target = async (context) => {
  const loadedInS = await load(context);
  Object.assign(process.env, { OPENSEARCH_URL: context.urls.openSearch, POWERTOOLS_LOG_LEVEL: 'ERROR' });
  const { handler } = await import('../../lambdas/insights/handler.ts');
  const ask = async (event: Parameters<typeof handler>[0]): Promise<number> => {
    const startedMs = performance.now();
    const response = await handler({ ...event, now: NOW }, lambdaContext());
    if (response.kind !== 'answer') throw new Error(JSON.stringify(response));
    return performance.now() - startedMs;
  };
  const average = (position: number) =>
    ask({ question: 'average', symbol: symbolOf(position % SERIES), exchange: 'bench', over: '2y' });
  // Each has a different end, so that no answer comes from a cache.
  const ranking = (position: number) =>
    ask({
      question: 'volatile',
      exchange: 'bench',
      top: 10,
      from: new Date(END_MS - 365 * 24 * HOUR_MS - position * HOUR_MS).toISOString(),
      to: new Date(END_MS - position * HOUR_MS).toISOString(),
    });
  for (let warm = 0; warm < 5; warm++) {
    await average(warm);
    await ranking(100 + warm);
  }
  const averages = await inTurn(AVERAGES, average);
  const rankings = await inTurn(RANKINGS, ranking);
  await loadTicks(context);
  const amongTicks = await inTurn(AVERAGES, average);
  const note = `${SERIES * HOURS} candles, loaded in ${loadedInS.toFixed(0)} s`;
  return [
    resultOf(
      'average over 2 y, p95',
      [percentile(averages, 95)],
      { atMost: 150 },
      { unit: 'ms', note: `p50 ${percentile(averages, 50).toFixed(0)} ms; ${note}` },
    ),
    resultOf(
      'volatile --top 10 over 1 y, p95',
      [percentile(rankings, 95)],
      { atMost: 1_500 },
      { unit: 'ms', note: `p50 ${percentile(rankings, 50).toFixed(0)} ms` },
    ),
    resultOf(
      `average over 2 y, with / without ${TICKS} raw ticks`,
      [percentile(amongTicks, 50) / percentile(averages, 50)],
      { atMost: 1.25 },
      { unit: '×' },
    ),
  ];
};

async function inTurn(count: number, ask: (position: number) => Promise<number>): Promise<number[]> {
  const tookMs: number[] = [];
  for (let position = 0; position < count; position++) tookMs.push(await ask(position));
  return tookMs;
}

/** Ticks of the same series, after the windows of the questions. */
async function loadTicks({ openSearch, urls }: BenchContext): Promise<void> {
  const raw = new RawClient(urls.openSearch, 1);
  await raw.bulk(bulkBodies(documentsOf(makeTickers(TICKS))));
  raw.close();
  await openSearch.indices.refresh({ index: TICKER_INDICES });
}

/** @returns seconds */
async function load({ openSearch, urls, say }: BenchContext): Promise<number> {
  const startedMs = performance.now();
  const raw = new RawClient(urls.openSearch, 2);
  await raw.bulk(bulkBodies(allCandles(say)));
  raw.close();
  await openSearch.indices.refresh({ index: CANDLE_INDICES });
  return (performance.now() - startedMs) / 1_000;
}

function* allCandles(say: BenchContext['say']): Generator<BulkDocument> {
  for (let series = 0; series < SERIES; series++) {
    for (const candle of candlesOf(series)) {
      yield { index: candleIndexOf(candle.startMs), id: candleId(candle), record: candleRecord(candle) };
    }
    if (series % 50 === 49) say(`two years: candles of ${series + 1} of ${SERIES} series`);
  }
}
