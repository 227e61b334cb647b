import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Absence } from '../../../../../core/completeness/absence.ts';
import {
  RegionBlockedError,
  type SourceError,
  SourceRefusedError,
  SourceUnavailableError,
} from '../../../../../core/ingest/source-errors.ts';
import { type CandleObject, candleObjectKey } from '../../../../../core/lake/candle-objects.ts';
import { candleFromHistory, candleId } from '../../../../../core/market/candle.ts';
import { formatSeries, type Series } from '../../../../../core/market/series.ts';
import { DAY_MS, HOUR_MS } from '../../../../../core/market/time.ts';
import { type GapsInput, type GapsOutput, gaps } from '../../../../../core/operate/gaps/gaps.ts';
import type { OperationServices } from '../../../../../core/operate/operation.ts';
import type { CandleRange, SummaryStores } from '../../../../../core/operate/ports.ts';
import { newLedger } from '../../../../../core/summarise/series-ledger.ts';
import { SILENT_LOG } from '../../../../samples/tickers.ts';
import { hourMs, hours as hoursOf, iso } from '../../insights/sample-candles.ts';
import { Killed, MemoryStore, SETTINGS } from '../../summarise/in-memory.ts';

const HOURS = 12;
const BTC: Series = { exchange: 'bybit', category: 'spot', symbol: 'BTCUSDT' };
const ETH: Series = { ...BTC, symbol: 'ETHUSDT' };

/** An exchange, an index and a lake in memory. */
class World {
  readonly store = new MemoryStore();
  readonly objects = new Map<string, CandleObject>();
  readonly requests: string[] = [];
  /** Hours of which the exchange has candles. */
  available = new Set<number>();
  /** What it answers instead. */
  error: ((range: CandleRange) => SourceError | undefined) | undefined;
  absence: Absence = {
    notListed: [],
    exchangeDown: new Set(),
    polls: { firstMs: hourMs(0), lastMs: hourMs(HOURS) },
  };
  nowMs = hourMs(HOURS);
  /** Pieces of work until the time of a slice is over. */
  patience = Number.POSITIVE_INFINITY;
  readonly #series: readonly Series[];

  constructor(series: readonly Series[], present: (series: Series, hour: number) => boolean) {
    this.#series = series;
    for (const one of series) {
      this.store.state.set(formatSeries(one), { ...newLedger(one, SETTINGS.thresholds), stale: false });
      for (let hour = -1; hour < HOURS; hour += 1) {
        const prices = { startMs: hourMs(hour), open: 1, high: 1, low: 1, close: 1 };
        const candle = {
          ...candleFromHistory(one, prices, 1),
          source: 'ticks' as const,
          samples: 4,
          polls_due: 4,
        };
        if (present(one, hour)) this.store.candles.set(candleId(candle), candle);
      }
    }
    this.store.until = this.nowMs;
  }

  async #candles(series: Series, fromMs: number, toMs: number) {
    return (await this.store.candlesOf(series, { fromMs, toMs })).sort((a, b) => a.startMs - b.startMs);
  }

  services(): OperationServices {
    const services: Partial<OperationServices> = {
      completeness: {
        countSeries: async () => this.#series.length,
        series: async function* (this: World, _: object, after?: Series) {
          const first = after
            ? this.#series.findIndex((one) => formatSeries(one) === formatSeries(after)) + 1
            : 0;
          yield this.#series.slice(first);
        }.bind(this),
        recorded: async (series, { fromMs, toMs }) => {
          const found = await Promise.all(series.map((one) => this.#candles(one, fromMs, toMs)));
          return found.flatMap((candles, position) => {
            const [first, last] = [candles[0], candles.at(-1)];
            if (!first || !last) return [];
            const totals = { hours: candles.length, firstMs: first.startMs, lastMs: last.startMs };
            return [{ series: series[position] as Series, ...totals, areWhole: true }];
          });
        },
        candles: (series, { fromMs, toMs }) => this.#candles(series, fromMs, toMs),
        absence: async () => this.absence,
        summarisedUntil: async () => this.store.until,
      },
      candleHistory: {
        put: async (object) => void this.objects.set(candleObjectKey(object), object),
        list: async (series) =>
          [...this.objects.values()]
            .filter((object) => series === undefined || formatSeries(object) === formatSeries(series))
            .map((object) => ({ object, writtenMs: 0 })),
        read: async () => '',
        delete: async () => {},
      },
      lake: { folders: async () => [], async *keys() {} } as Partial<
        OperationServices['lake']
      > as OperationServices['lake'],
      exchangeCandles: {
        whyNone: (exchange) => (exchange === 'bybit' ? undefined : 'it has none'),
        source: () => ({
          format: 'bybit-v5',
          pageHours: 3,
          page: async (range) => {
            this.requests.push(`${range.symbol} ${(range.fromMs - hourMs(0)) / HOUR_MS}`);
            const error = this.error?.(range);
            if (error) throw error;
            const rows = [...this.available]
              .sort((a, b) => a - b)
              .map((hour) => ({ startMs: hourMs(hour), open: 2, high: 3, low: 1, close: 2 }))
              .filter(({ startMs }) => startMs >= range.fromMs && startMs < range.toMs);
            return { raw: {}, rows, moved: 0, pair: {} };
          },
        }),
        parse: () => [],
        pairOf: () => ({}),
      },
      summaryLease: {
        hold: async (_, work) => ({
          kind: 'done',
          result: await work({ store: this.store } as Partial<SummaryStores> as SummaryStores),
        }),
      },
      summaries: SETTINGS,
      exchanges: ['bybit'],
      log: SILENT_LOG,
      now: () => this.nowMs + (this.patience-- > 0 ? 0 : DAY_MS),
      sleep: async () => {},
    };
    return services as OperationServices;
  }

  /** Runs to its end, in slices of so much patience. */
  async run(given: Partial<GapsInput> = {}, patience = Number.POSITIVE_INFINITY): Promise<GapsOutput[]> {
    const input = gaps.input.parse({ from: iso(hourMs(0)), to: iso(hourMs(HOURS)), ...given });
    const outputs: GapsOutput[] = [];
    let cursor: unknown;
    do {
      this.patience = patience;
      const slice = await gaps.slice(input, cursor, this.services(), { deadlineMs: this.nowMs + HOUR_MS });
      outputs.push(slice.output);
      cursor = slice.cursor && JSON.parse(JSON.stringify(slice.cursor));
    } while (cursor !== undefined);
    return outputs;
  }
}

const sum = (outputs: readonly GapsOutput[], of: (output: GapsOutput) => number) =>
  outputs.reduce((total, output) => total + of(output), 0);
const entriesOf = (outputs: readonly GapsOutput[]) => outputs.flatMap(({ entries }) => entries);
const refused = () => new SourceRefusedError('symbol invalid', { url: 'http://x' });

describe('a repair', () => {
  const hoursIn = fc.uniqueArray(fc.integer({ min: 0, max: HOURS - 1 })).map((list) => new Set(list));

  it('fills what the exchange has, however it is cut off or killed, and then requests nothing again', async () => {
    const killAt = fc.option(fc.integer({ min: 1, max: 12 }));
    await fc.assert(
      fc.asyncProperty(
        hoursIn,
        hoursIn,
        hoursIn,
        fc.constantFrom(10, 25, Number.POSITIVE_INFINITY),
        killAt,
        async (btc, eth, available, patience, kill) => {
          const present = (series: Series, hour: number) =>
            hour === -1 || (series.symbol === 'BTCUSDT' ? btc : eth).has(hour);
          const world = new World([BTC, ETH], present);
          world.available = available;
          if (kill !== null) {
            world.store.killAt = kill;
            await world.run({ repair: true }, patience).catch((error) => {
              if (!(error instanceof Killed)) throw error;
            });
            world.store.killAt = Number.POSITIVE_INFINITY;
          }
          const outputs = await world.run({ repair: true }, patience);
          expect(sum(outputs, ({ repairable }) => repairable)).toBe(0);
          const once = world.requests.length;
          for (const series of [BTC, ETH]) {
            const candles = await world.store.candlesOf(series, {});
            const expected = Array.from({ length: HOURS + 1 }, (_, hour) => hour - 1).filter(
              (hour) => present(series, hour) || available.has(hour),
            );
            expect(candles.map(({ startMs }) => (startMs - hourMs(0)) / HOUR_MS)).toEqual(expected);
          }
          const left = entriesOf(outputs);
          expect(left.every(({ asked }) => asked)).toBe(true);
          const again = await world.run({ repair: true });
          expect(sum(again, ({ requests, candles, moves }) => requests + candles + moves)).toBe(0);
          expect(world.requests).toHaveLength(once);
          expect(entriesOf(again)).toEqual(left);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('makes at most that many requests, and says what is left', async () => {
    const world = new World([BTC, ETH], (_, hour) => hour === -1);
    world.available = new Set([0, 1, 2, 3, 4, 5]);
    const first = await world.run({ repair: true, requests: 2 });
    expect(first).toMatchObject([{ requests: 2, repairable: 6 + HOURS }]);
    await world.run({ repair: true, requests: 100 });
    expect(new Set(world.requests).size).toBe(world.requests.length);
  });

  it('does not take it for an answer if an exchange cannot be asked now', async () => {
    const world = new World([BTC, ETH], (_, hour) => hour > 2);
    world.available = new Set([0, 1, 2]);
    for (const error of [
      new SourceUnavailableError('down', { url: 'http://x' }),
      new RegionBlockedError('not from here', { url: 'http://x' }),
    ]) {
      world.error = () => error;
      const [output] = await world.run({ repair: true });
      expect(output).toMatchObject({
        requests: 1,
        repairable: 6,
        problems: [expect.stringContaining(error.message)],
      });
    }
    expect(world.objects.size).toBe(0);
    world.error = undefined;
    expect(await world.run({ repair: true })).toMatchObject([{ requests: 2, repairable: 0 }]);
  });

  it('believes an exchange that does not know an ended series any more, but not that it does not know a live one', async () => {
    const isEnded = (symbol: string) => symbol === 'BTCUSDT';
    const world = new World([BTC, ETH], ({ symbol }, hour) => (isEnded(symbol) ? hour === 0 : hour > 2));
    world.error = refused;
    world.nowMs += 2 * DAY_MS - 6 * HOUR_MS;
    const [output] = await world.run({ repair: true });
    expect(output).toMatchObject({ unavailable: HOURS - 1, problems: [expect.stringContaining('ETHUSDT')] });
    world.requests.length = 0;
    await world.run({ repair: true });
    expect(world.requests).toEqual(['ETHUSDT 0']);
  });

  it('leaves alone what was not listed, and series that nobody polls', async () => {
    const world = new World([BTC, { ...ETH, exchange: 'mine' }], (_, hour) => hour > 5);
    world.absence = { ...world.absence, notListed: [hoursOf(0, 6)] };
    expect(await world.run({ repair: true })).toMatchObject([{ requests: 0, repairable: 0, notListed: 12 }]);
  });
});

describe('the list of gaps', () => {
  it('begins each series with its first hour, and ends with what is summarised', async () => {
    const world = new World([BTC], (_, hour) => hour > 2 && hour !== 5);
    world.store.until = hourMs(10);
    const outputs = await world.run({ from: undefined });
    expect(outputs).toMatchObject([{ series: 1, present: 6, missing: 1, repairable: 1 }]);
    expect(entriesOf(outputs)).toEqual([
      {
        series: 'bybit:spot:BTCUSDT',
        from: iso(hourMs(5)),
        to: iso(hourMs(6)),
        hours: 1,
        state: 'missing',
        reason: 'no poll',
      },
    ]);
    expect(world.requests).toEqual([]);
  });

  it('ends a series that nobody polls with its last hour', async () => {
    const world = new World([{ ...BTC, exchange: 'mine' }], (_, hour) => hour < 4 && hour !== 1);
    expect(await world.run()).toMatchObject([{ present: 3, missing: 1, repairable: 0 }]);
  });

  it('ends a series with its last hour that ended without a word, days before its market', async () => {
    const world = new World([BTC], (_, hour) => hour < 4 && hour !== 1);
    world.absence = { ...world.absence, polls: { firstMs: hourMs(0), lastMs: hourMs(4) + 2 * DAY_MS + 1 } };
    expect(await world.run({ repair: true })).toMatchObject([{ present: 3, missing: 1, requests: 1 }]);
    world.absence = { ...world.absence, notListed: [{ fromMs: hourMs(4), toMs: Number.POSITIVE_INFINITY }] };
    expect(await world.run()).toMatchObject([{ present: 3, missing: 1, notListed: 8 }]);
  });
});
