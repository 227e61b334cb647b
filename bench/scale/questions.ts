import type { Client } from '@opensearch-project/opensearch';
import type { Answers } from '../../core/insights/question.ts';
import { candleId } from '../../core/market/candle.ts';
import {
  CANDLE_INDICES,
  candleIndexOf,
  TICKER_INDICES,
  tickerIndexOf,
} from '../../core/market/index-names.ts';
import { formatSeries } from '../../core/market/series.ts';
import { tickerId } from '../../core/market/ticker.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/market/time.ts';
import type { Window } from '../../core/market/window.ts';
import { percentile } from '../../local/pipeline/closing-report.ts';
import { candleRecord } from '../../stores/opensearch/candle-record.ts';
import { lambdaContext, setEnvironment } from '../functions.ts';
import { type BulkDocument, bulkBodies, RawClient } from '../raw-bulk.ts';
import { candleOfHour, changeAt, type GeneratedSeries, priceAt, tickerAt } from './market.ts';

/** Seven days; the last hour is not over yet. */
const HOURS = 7 * 24;
const TICKS_A_CANDLE = 4;
/** Of the hour that is not over. */
const OPEN_MINUTES = [...Array(15).keys()].map((tick) => tick * 2);

export interface Times {
  p50Ms: number;
  p95Ms: number;
}

export interface QuestionFigures {
  volatile: Times;
  known: Times;
  /** Over a tick an hour. */
  percentiles: Times;
  /** The same over a window with more ticks, for a million of them. */
  percentilesMsPerMillion: number;
}

/** A week of candles, and of ticks once an hour, and half an hour of ticks after it; it is half past `openMs`. */
export async function loadWeek(
  url: string,
  series: readonly GeneratedSeries[],
  openMs: number,
): Promise<void> {
  const raw = new RawClient(url, 2);
  await raw.bulk(bulkBodies(weekOf(series, openMs)));
  raw.close();
}

function* weekOf(series: readonly GeneratedSeries[], openMs: number): Generator<BulkDocument> {
  const tick = (position: number, each: GeneratedSeries, slotMs: number) => {
    const record = tickerAt(each, position, slotMs);
    return { index: tickerIndexOf(record.slot), id: tickerId(record), record };
  };
  for (let hourMs = openMs - (HOURS - 1) * HOUR_MS; hourMs < openMs; hourMs += HOUR_MS) {
    for (const [position, each] of series.entries()) {
      const candle = candleOfHour(each, position, hourMs, TICKS_A_CANDLE);
      yield { index: candleIndexOf(hourMs), id: candleId(candle), record: candleRecord(candle) };
      yield tick(position, each, hourMs);
    }
  }
  for (const minute of OPEN_MINUTES) {
    for (const [position, each] of series.entries()) yield tick(position, each, openMs + minute * MINUTE_MS);
  }
}

/**
 * Asks each question as often as there are rounds, none of them answered from OpenSearch's cache, and compares the first
 * answers with what the generator says.
 * @param many a window of whole hours with more ticks, and how many those of a series are
 * @throws Error if an answer is wrong
 */
export async function measureQuestions(
  openSearch: Client,
  url: string,
  series: readonly GeneratedSeries[],
  openMs: number,
  many: Window & { ticks: number },
  rounds: number,
): Promise<QuestionFigures> {
  const index = [CANDLE_INDICES, TICKER_INDICES];
  await openSearch.indices.refresh({ index });
  setEnvironment({ openSearch: url, s3: url }, 'bench', {
    SAMPLING_INTERVALS: JSON.stringify({ default: HOUR_MS }),
  });
  const { handler } = await import('../../lambdas/insights/handler.ts');
  const now = new Date(openMs + 30 * MINUTE_MS).toISOString();
  const ask = async (event: Parameters<typeof handler>[0]) => {
    await openSearch.indices.clearCache({ index, request: true, query: true });
    const startedMs = performance.now();
    const response = await handler({ now, ...event }, lambdaContext());
    if (response.kind !== 'answer') throw new Error(JSON.stringify(response));
    const names = (response.answer as Answers['series']).series.map((each) => each.series);
    return { names, ms: performance.now() - startedMs };
  };
  const volatile = { question: 'volatile', top: 10, over: '7d' } as const;
  const percentiles = { question: 'percentiles', top: 10, over: '7d' } as const;
  const known = { question: 'series' } as const;
  const plain = series.flatMap((each, position) => (each.category === 'option' ? [] : { each, position }));
  assertSame(
    'volatile',
    (await ask(volatile)).names,
    topOf(plain, (position) => -deviationOf(returnsOf(position, openMs))),
  );
  assertNear((await ask(percentiles)).names, plain, (position) => spreadOf(position, openMs));
  const listed = (await ask(known)).names.length;
  if (listed !== plain.length) throw new Error(`series listed ${listed} of ${plain.length}`);
  const times = async (question: Parameters<typeof handler>[0]): Promise<Times> => {
    const tookMs: number[] = [];
    for (let round = 1; round <= rounds; round += 1) tookMs.push((await ask(question)).ms);
    return { p50Ms: percentile(tookMs, 50), p95Ms: percentile(tookMs, 95) };
  };
  const window = { from: new Date(many.fromMs).toISOString(), to: new Date(many.toMs).toISOString() };
  const ofMany = (await ask({ question: 'percentiles', top: 10, ...window })).ms;
  return {
    volatile: await times(volatile),
    known: await times(known),
    percentiles: await times(percentiles),
    percentilesMsPerMillion: ofMany / ((plain.length * many.ticks) / 1e6),
  };
}

type Positioned = { each: GeneratedSeries; position: number };

function topOf(all: readonly Positioned[], rank: (position: number) => number): string[] {
  const ranked = all.map(({ each, position }) => ({ name: formatSeries(each), value: rank(position) }));
  return ranked
    .sort((a, b) => a.value - b.value)
    .slice(0, 10)
    .map(({ name }) => name);
}

/** Log returns between the closes of the week's candles, the first to the hour before, the last from the newest tick. */
function returnsOf(position: number, openMs: number): number[] {
  const closeOf = (hourMs: number) => priceAt(position, hourMs + HOUR_MS - HOUR_MS / TICKS_A_CANDLE);
  const closes = Array.from({ length: HOURS }, (_, hour) => closeOf(openMs - (HOURS - hour) * HOUR_MS));
  closes.push(priceAt(position, openMs + (OPEN_MINUTES.at(-1) ?? 0) * MINUTE_MS));
  return closes.slice(1).map((close, hour) => Math.log(close / (closes[hour] as number)));
}

function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Between the 1st and the 99th percentile of the week's changes. */
function spreadOf(position: number, openMs: number): number {
  const hourly = Array.from({ length: HOURS - 1 }, (_, hour) => openMs - (hour + 1) * HOUR_MS);
  const slots = [...hourly, ...OPEN_MINUTES.map((minute) => openMs + minute * MINUTE_MS)];
  const changes = slots.map((slotMs) => changeAt(position, slotMs)).sort((a, b) => a - b);
  const at = (share: number) => changes[Math.round(share * (changes.length - 1))] ?? 0;
  return at(0.99) - at(0.01);
}

function assertSame(what: string, found: readonly string[], expected: readonly string[]): void {
  if (found.join() !== expected.join()) {
    throw new Error(`${what} is wrong: ${found.join()} instead of ${expected.join()}`);
  }
}

/** OpenSearch's percentiles of few ticks are rough estimates, so neighbours in the ranking may swap places. */
function assertNear(
  found: readonly string[],
  all: readonly Positioned[],
  spread: (position: number) => number,
): void {
  const spreads = new Map(all.map(({ each, position }) => [formatSeries(each), spread(position)]));
  const best = [...spreads.values()].sort((a, b) => b - a);
  for (const [place, name] of found.entries()) {
    if ((spreads.get(name) ?? 0) < 0.9 * (best[place] ?? 0)) {
      const [spread, expected] = [spreads.get(name), best[place]];
      throw new Error(`percentiles is wrong at place ${place + 1}: ${name}, ${spread}, not ${expected}`);
    }
  }
}
