import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answers, answer, type QuestionInput, questionSchema } from '../../../core/insights/question.ts';
import { type Candle, candleFromTicks, candleId, withLogReturn } from '../../../core/market/candle.ts';
import { candleIndexOf, tickerIndexOf } from '../../../core/market/index-names.ts';
import { formatSeries } from '../../../core/market/series.ts';
import { tickerId } from '../../../core/market/ticker.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import type { InsightsResponse } from '../../../lambdas/insights/handler.ts';
import { candleRecord } from '../../../stores/opensearch/candle-record.ts';
import { sampleTicker } from '../../samples/tickers.ts';
import { InMemoryStore } from '../../unit/core/insights/in-memory-store.ts';
import { clearSummaries, clearTickers, openSearch } from '../services.ts';
import { startInsights, startSetup } from './handlers.ts';

/** More than one answer may have here, as 65,536 are elsewhere. */
const SERIES = 3_600;
const MAX_BUCKETS = 3_500;
const START_MS = Date.UTC(2026, 0, 5);
/** Hours with a candle; in the two after them are only ticks. */
const SUMMARISED = 3;
const HOURS = SUMMARISED + 2;
const NOW = new Date(START_MS + HOURS * HOUR_MS).toISOString();

const all = Array.from({ length: SERIES }, (_, position) => ({
  exchange: `wide${position % 3}`,
  category: position % 2 === 0 ? ('spot' as const) : ('linear' as const),
  symbol: `COIN${String(position).padStart(4, '0')}USD`,
  base: 'COIN',
  quote: 'USD',
}));

/** Every series swings by its own size, in an order that has nothing to do with its name. */
const swingOf = (position: number) => (((position * 1_009) % SERIES) + 1) / SERIES / 20;
const tickOf = (position: number, hour: number) => ({
  // The last tick of the hour is not the same poll's for all.
  slotMs: START_MS + hour * HOUR_MS + (position % 11 === 0 ? 600_000 : 720_000),
  price: 100 * (1 + swingOf(position) * (hour % 2 === 0 ? 1 : -1)),
});
const turnoverOf = (position: number) => 1_000 + ((position * 2_003) % SERIES);

let store: InMemoryStore;
let ask: (event: QuestionInput & { now?: string }) => Promise<InsightsResponse>;

async function index(documents: readonly { index: string; id: string; source: object }[]): Promise<void> {
  for (let from = 0; from < documents.length; from += 5_000) {
    const body = documents
      .slice(from, from + 5_000)
      .flatMap(({ index, id, source }) => [{ index: { _index: index, _id: id } }, source]);
    expect((await openSearch.bulk({ body })).body.errors).toBe(false);
  }
  await openSearch.indices.refresh({ index: 'candles-*,tickers-*' });
}

function limitBuckets(most: number | null) {
  return openSearch.cluster.putSettings({ body: { transient: { 'search.max_buckets': most } } });
}

beforeAll(async () => {
  await clearTickers();
  await clearSummaries();
  await (await startSetup())();
  const candles = all.flatMap((series, position) => {
    const made: Candle[] = [];
    for (let hour = 0; hour < SUMMARISED; hour += 1) {
      const candle = candleFromTicks(series, START_MS + hour * HOUR_MS, [tickOf(position, hour)]);
      made.push(withLogReturn(candle, made.at(-1)));
    }
    return made;
  });
  const ticks = all.flatMap((series, position) =>
    [SUMMARISED, SUMMARISED + 1].flatMap((hour) => {
      const { slotMs, price } = tickOf(position, hour);
      const last = { series, slotMs, price, turnover: turnoverOf(position), change: price / 100 - 1 };
      const earlier = { ...last, slotMs: slotMs - 120_000, price: 100, turnover: 1, change: undefined };
      return position % 5 === 0 ? [earlier, last] : [last];
    }),
  );
  store = new InMemoryStore(candles, ticks);
  await index([
    ...candles.map((candle) => ({
      index: candleIndexOf(candle.startMs),
      id: candleId(candle),
      source: candleRecord(candle),
    })),
    ...ticks.map(({ series, slotMs, price, turnover, change }) => {
      const slot = new Date(slotMs).toISOString();
      const told = change === undefined ? {} : { turnover_24h: turnover, price_24h_pcnt: change };
      const values = { last_price: price, ...told };
      const ticker = sampleTicker({ ...series, ...values, slot, timestamp: slot, received_at: slot });
      return { index: tickerIndexOf(slot), id: tickerId(ticker), source: ticker };
    }),
  ]);
  ask = await startInsights();
  await limitBuckets(MAX_BUCKETS);
}, 120_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await limitBuckets(null);
  await clearTickers();
  await clearSummaries();
  await openSearch.close();
});

async function answered<Question extends keyof Answers>(
  question: QuestionInput & { question: Question },
): Promise<Answers[Question]> {
  const response = await ask({ ...question, now: NOW });
  expect(response).toMatchObject({ kind: 'answer' });
  return (response as unknown as { answer: Answers[Question] }).answer;
}

const inMemory = (question: QuestionInput) =>
  answer(questionSchema.parse(question), Date.parse(NOW), store.asStores(), {});

describe('more series than OpenSearch answers in one go', () => {
  it.each<QuestionInput & { question: 'volatile' }>([
    { question: 'volatile', over: '5h' },
    { question: 'volatile', over: '5h', minTurnover: 4_000 },
    { question: 'volatile', over: '5h', top: 100, exchange: 'wide1' },
  ])('are ranked right, all of them: %j', async (question) => {
    const found = await answered(question);
    const expected = (await inMemory(question)) as Answers['volatile'];
    const namesOf = ({ series }: Answers['volatile']) => series.map((each) => each.series);
    expect(namesOf(found)).toEqual(namesOf(expected));
    expect(found.leftOut).toEqual(expected.leftOut);
    for (const [place, { volatility }] of found.series.entries()) {
      expect(volatility).toBeCloseTo(expected.series[place]?.volatility ?? Number.NaN, 8);
    }
  });

  it('are all listed', async () => {
    const question = { question: 'series' } as const;
    expect(await answered(question)).toEqual(await inMemory(question));
  });

  it('have their percentiles compared', async () => {
    const { series } = await answered({ question: 'percentiles', over: '5h', top: 20, minCoverage: 0 });
    const widest = all
      .map((each, position) => ({ series: formatSeries(each), swing: swingOf(position) }))
      .sort((a, b) => b.swing - a.swing);
    expect(series.map((each) => each.series)).toEqual(widest.slice(0, 20).map((each) => each.series));
  });

  it('are searched for a currency, and for the nearest names', async () => {
    // The series of a currency is the one in which most units of it were traded.
    const units = all.map((_, position) => turnoverOf(position) / tickOf(position, HOURS - 1).price);
    const most = units.indexOf(Math.max(...units));
    const { series } = await answered({ question: 'average', symbol: 'COIN', over: '5h' });
    expect(series).toBe(formatSeries(all[most] ?? { exchange: '', category: 'spot', symbol: '' }));
    expect(await ask({ question: 'average', symbol: 'COIN3599USDX', now: NOW })).toMatchObject({
      kind: 'noAnswer',
      message: expect.stringContaining('COIN3599USD'),
    });
  });
});
