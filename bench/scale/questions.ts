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
import { HOUR_MS } from '../../core/market/time.ts';
import { percentile } from '../../local/pipeline/closing-report.ts';
import { candleRecord } from '../../stores/opensearch/candle-record.ts';
import { lambdaContext } from '../functions.ts';
import { type BulkDocument, bulkBodies, RawClient } from '../raw-bulk.ts';
import { candleOfHour, changeAt, type GeneratedSeries, priceAt, tickerAt } from './market.ts';

/** Seven days. */
export const QUESTION_HOURS = 7 * 24;
const TICKS_A_CANDLE = 4;

export interface QuestionFigures {
  volatileP95Ms: number;
  seriesP95Ms: number;
  percentilesP95Ms: number;
  /** Of the percentiles: how many of each series are in the window. */
  ticksAnHour: number;
}

/** Seven days of candles, and of ticks once an hour, that end at `endMs`. */
export async function loadWeek(
  url: string,
  series: readonly GeneratedSeries[],
  endMs: number,
): Promise<void> {
  const raw = new RawClient(url, 2);
  await raw.bulk(bulkBodies(weekOf(series, endMs)));
  raw.close();
}

function* weekOf(series: readonly GeneratedSeries[], endMs: number): Generator<BulkDocument> {
  for (let hourMs = endMs - QUESTION_HOURS * HOUR_MS; hourMs < endMs; hourMs += HOUR_MS) {
    for (const [position, each] of series.entries()) {
      const candle = candleOfHour(each, position, hourMs, TICKS_A_CANDLE);
      yield { index: candleIndexOf(hourMs), id: candleId(candle), record: candleRecord(candle) };
      const ticker = tickerAt(each, position, hourMs);
      yield { index: tickerIndexOf(ticker.slot), id: tickerId(ticker), record: ticker };
    }
  }
}

/**
 * Asks each question as often as there are rounds, each time over another week's end, and compares the first answers
 * with what the generator says.
 * @throws Error if an answer is wrong
 */
export async function measureQuestions(
  openSearch: Client,
  url: string,
  series: readonly GeneratedSeries[],
  endMs: number,
  rounds: number,
): Promise<QuestionFigures> {
  await openSearch.indices.refresh({ index: [CANDLE_INDICES, TICKER_INDICES] });
  const samplingIntervals = JSON.stringify({ default: HOUR_MS });
  Object.assign(process.env, {
    OPENSEARCH_URL: url,
    POWERTOOLS_LOG_LEVEL: 'ERROR',
    SAMPLING_INTERVALS: samplingIntervals,
  });
  const { handler } = await import('../../lambdas/insights/handler.ts');
  const ask = async <Question extends keyof Answers>(event: Parameters<typeof handler>[0]) => {
    const response = await handler({ ...event, now: new Date(endMs).toISOString() }, lambdaContext());
    if (response.kind !== 'answer') throw new Error(JSON.stringify(response));
    return response.answer as unknown as Answers[Question];
  };
  // Another window each time, so that no answer comes from a cache.
  const window = (round: number) => ({
    from: new Date(endMs - QUESTION_HOURS * HOUR_MS).toISOString(),
    to: new Date(endMs - round * HOUR_MS).toISOString(),
  });
  const plain = series.flatMap((each, position) => (each.category === 'option' ? [] : { each, position }));
  assertSame(
    'volatile',
    (await ask<'volatile'>({ question: 'volatile', top: 10, ...window(0) })).series.map((one) => one.series),
    topOf(plain, (position) => -deviationOf(returnsOf(position, endMs))),
  );
  assertNear(
    (await ask<'percentiles'>({ question: 'percentiles', top: 10, ...window(0) })).series.map(
      (one) => one.series,
    ),
    plain,
    (position) => spreadOf(position, endMs),
  );
  if ((await ask<'series'>({ question: 'series' })).series.length !== plain.length) {
    throw new Error('series did not list all of them');
  }
  const p95 = async (question: (round: number) => Parameters<typeof handler>[0]) => {
    const tookMs: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const startedMs = performance.now();
      await ask(question(round));
      tookMs.push(performance.now() - startedMs);
    }
    return percentile(tookMs, 95);
  };
  return {
    volatileP95Ms: await p95((round) => ({ question: 'volatile', top: 10, ...window(round) })),
    seriesP95Ms: await p95(() => ({ question: 'series' })),
    percentilesP95Ms: await p95((round) => ({ question: 'percentiles', top: 10, ...window(round) })),
    ticksAnHour: 1,
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

/** Log returns between the closes of the week's candles; the first has one to the hour before. */
function returnsOf(position: number, endMs: number): number[] {
  const closeOf = (hour: number) =>
    priceAt(position, endMs - (QUESTION_HOURS - hour) * HOUR_MS - HOUR_MS / TICKS_A_CANDLE);
  return Array.from({ length: QUESTION_HOURS }, (_, hour) => Math.log(closeOf(hour + 1) / closeOf(hour)));
}

function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Between the 1st and the 99th percentile of the week's changes. */
function spreadOf(position: number, endMs: number): number {
  const changes = Array.from({ length: QUESTION_HOURS }, (_, hour) =>
    changeAt(position, endMs - (hour + 1) * HOUR_MS),
  ).sort((a, b) => a - b);
  const at = (share: number) => changes[Math.round(share * (changes.length - 1))] ?? 0;
  return at(0.99) - at(0.01);
}

function assertSame(what: string, found: readonly string[], expected: readonly string[]): void {
  if (found.join() !== expected.join()) {
    throw new Error(`${what} is wrong: ${found.join()} instead of ${expected.join()}`);
  }
}

/** OpenSearch's percentiles are estimates, so neighbours in the ranking may swap places. */
function assertNear(
  found: readonly string[],
  all: readonly Positioned[],
  spread: (position: number) => number,
): void {
  const spreads = new Map(all.map(({ each, position }) => [formatSeries(each), spread(position)]));
  const best = [...spreads.values()].sort((a, b) => b - a);
  for (const [place, name] of found.entries()) {
    if ((spreads.get(name) ?? 0) < 0.97 * (best[place] ?? 0)) {
      throw new Error(`percentiles is wrong at place ${place + 1}: ${name}`);
    }
  }
}
