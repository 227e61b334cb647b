import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { candleMonths } from '../../../../core/columns/candle-months.ts';
import { compact } from '../../../../core/columns/compact.ts';
import { moveMonths } from '../../../../core/columns/move-months.ts';
import { columnKey } from '../../../../core/columns/objects.ts';
import { columnsOf } from '../../../../core/columns/tables.ts';
import { candleObjectKey } from '../../../../core/lake/candle-objects.ts';
import { type CandleRow, rowsObject } from '../../../../core/lake/candle-rows.ts';
import { packLines } from '../../../../core/lake/ndjson.ts';
import type { Candle } from '../../../../core/market/candle.ts';
import type { Move } from '../../../../core/market/directional-change.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../../core/market/time.ts';
import { Database } from '../../../../stores/duckdb/database.ts';
import { writeCandleMonth, writeMoveMonth } from '../../../../stores/duckdb/month-files.ts';
import { writeParquet } from '../../../../stores/duckdb/parquet.ts';
import { StagedRows } from '../../../../stores/duckdb/staged-rows.ts';
import { SILENT_LOG } from '../../../samples/tickers.ts';
import {
  BTC,
  ETH,
  expectedDocuments,
  MemoryTicks,
  type Recorded,
  SETTINGS,
} from '../../core/summarise/in-memory.ts';
import { Killed, MemoryColumns } from './columns-in-memory.ts';

/** Both sides of two ends of months, and a month of its own. */
const DAYS = ['2018-07-30', '2018-07-31', '2018-08-01', '2018-08-31', '2018-09-01', '2018-12-02'].map((day) =>
  Date.parse(`${day}T00:00Z`),
);
const MEETING_DAY = Date.parse('2018-08-01T00:00Z');
const NOW = '2019-01-01T00:00:00.000Z';
const MARKET = { exchange: BTC.exchange, category: BTC.category };

/** A change of the lake. */
type Change =
  | { kind: 'ticks'; dayMs: number; ticks: { series: typeof BTC; minute: number; price: number }[] }
  | { kind: 'record'; recorded: Recorded }
  | { kind: 'withdraw' };

type Ticks = Extract<Change, { kind: 'ticks' }>;

const price = fc.oneof(
  { weight: 1, arbitrary: fc.double({ min: 90, max: 110, noNaN: true }) },
  { weight: 2, arbitrary: fc.integer({ min: 90, max: 110 }) },
);
const series = fc.constantFrom(BTC, ETH);
const day = fc.constantFrom(...DAYS);
/** So few hours that ticks and recorded candles meet in most of them, with enough ticks or one too few. */
const hour = fc.constantFrom(0, 1, 2, 23);
const minute = fc.tuple(hour, fc.nat(3)).map(([hour, poll]) => hour * 60 + poll * 15);
const ticks = fc.record({
  kind: fc.constant('ticks' as const),
  dayMs: day,
  ticks: fc.array(fc.record({ series, minute, price }), { maxLength: 16 }),
});
const record = fc
  .record({
    series,
    dayMs: day,
    hour,
    isDaily: fc.boolean(),
    prices: fc.array(fc.tuple(price, price, price), { minLength: 1, maxLength: 4 }),
  })
  .map(({ series, dayMs, hour, isDaily, prices }) => ({
    kind: 'record' as const,
    recorded: {
      series,
      hours: isDaily ? (24 as const) : (1 as const),
      rows: prices.map(([open, close, other], at) => {
        const startMs = isDaily ? dayMs + at * DAY_MS : dayMs + (hour + at) * HOUR_MS;
        return {
          startMs,
          open,
          high: Math.max(open, close, other),
          low: Math.min(open, close, other),
          close,
        };
      }),
    },
  }));
const changes = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: ticks },
    { weight: 3, arbitrary: record },
    { weight: 1, arbitrary: fc.constant({ kind: 'withdraw' as const }) },
  ),
  { minLength: 1, maxLength: 4 },
);

/** Of an object that `compact` made: which one, counted from the last, and what somebody did to it. */
interface Damage {
  at: number;
  isDeleted: boolean;
}

const damages = fc.array(fc.record({ at: fc.nat(), isDeleted: fc.boolean() }), { maxLength: 3 });

const ticksAt = (day: string, price: number): Ticks => ({
  kind: 'ticks',
  dayMs: Date.parse(`${day}T00:00Z`),
  ticks: [{ series: BTC, minute: 0, price }],
});
/** What a month remembers is lost or damaged, then the next month changes, which continues with that. */
const noStates = ({ isDeleted }: Pick<Damage, 'isDeleted'>): [Ticks[], Ticks, number, Damage[]] => [
  [ticksAt('2018-07-31', 100), ticksAt('2018-08-01', 120)],
  ticksAt('2018-08-01', 130),
  14,
  [{ at: 1, isDeleted }],
];

/** Two of four polls are enough to be preferred to a recorded candle; one is not. */
const JUST_ENOUGH: Change[] = [
  {
    kind: 'ticks',
    dayMs: MEETING_DAY,
    ticks: [0, 15, 60].map((minute) => ({ series: BTC, minute, price: 100 + minute })),
  },
  {
    kind: 'record',
    recorded: {
      series: BTC,
      hours: 1,
      rows: [0, 1].map((hour) => ({
        startMs: MEETING_DAY + hour * HOUR_MS,
        open: 90,
        high: 95,
        low: 85,
        close: 91,
      })),
    },
  },
];

/** For what the tests themselves put and look at: opening one each time takes longer than either. */
let database: Database;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'months-test-'));
  database = await Database.open(folder, { memory: '64MB' });
});
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A lake, and what it has. */
class Lake {
  readonly store = new MemoryColumns();
  readonly recorded: { key: string; recorded: Recorded }[] = [];
  readonly #days = new Map<number, Ticks['ticks']>();

  async make(change: Change): Promise<void> {
    switch (change.kind) {
      case 'ticks':
        this.#days.set(change.dayMs, change.ticks);
        await this.#putDay(change.dayMs);
        return;
      case 'record': {
        const { series, hours, rows } = change.recorded;
        const lines = rows.map(
          ({ startMs, open, high, low, close }): CandleRow => [startMs, open, high, low, close, null],
        );
        const { object, content } = rowsObject(series, hours, lines, `run-${this.recorded.length}`);
        const key = candleObjectKey(object);
        this.store.put(key, await packLines(content.trimEnd().split('\n')));
        this.recorded.push({ key, recorded: change.recorded });
        return;
      }
      case 'withdraw': {
        const last = this.recorded.pop();
        if (last) this.store.objects.delete(last.key);
        return;
      }
      default:
        change satisfies never;
    }
  }

  async #putDay(dayMs: number): Promise<void> {
    const rows = new StagedRows(`${folder}/ticks.ndjson`, columnsOf('tickers'));
    for (const { series, ticks } of this.ticks(dayMs).all()) {
      for (const { slotMs, price } of ticks) {
        const { symbol, base, quote } = series;
        rows.add({ v: 1, symbol, base, quote, slot: new Date(slotMs).toISOString(), last_price: price });
      }
    }
    const path = `${folder}/day.parquet`;
    await writeParquet(database, 'tickers', rows.close(), path);
    const period = new Date(dayMs).toISOString().slice(0, 10);
    this.store.put(columnKey({ table: 'tickers', ...MARKET, period }), await readFile(path));
  }

  /** @param only of one day. @default all */
  ticks(only?: number): MemoryTicks {
    const all = new MemoryTicks();
    for (const [dayMs, ofDay] of this.#days) {
      if (only !== undefined && dayMs !== only) continue;
      for (const { series, minute, price } of ofDay) all.add(series, dayMs + minute * MINUTE_MS, price);
    }
    return all;
  }

  /** As `compact` does after the days of tickers. */
  async compact() {
    const { store } = this;
    const moves = moveMonths({
      store,
      thresholds: SETTINGS.thresholds,
      write: (...given) => writeMoveMonth(store, ...given),
    });
    const candles = candleMonths({
      store,
      samplingIntervals: SETTINGS.samplingIntervals,
      exchangeCandles: { parse: () => [], pairOf: () => ({}) },
      write: (...given) => writeCandleMonth(store, ...given),
    });
    const makers = [candles, moves, { ...moves, isAgain: true }];
    const services = { store, makers, log: SILENT_LOG, emit: () => {}, now: () => 0 };
    const { output } = await compact.slice({ now: NOW }, undefined, services, { deadlineMs: 1 });
    return output;
  }

  damage(damages: readonly Damage[]): void {
    for (const { at, isDeleted } of damages) {
      const made = [...this.store.objects.keys()].filter((key) => /^columns\/(?!tickers)/.test(key)).sort();
      const key = made.at(-1 - (at % made.length));
      if (key === undefined) return;
      if (isDeleted) this.store.objects.delete(key);
      else this.store.put(key, Buffer.from('not what it was'));
    }
  }

  /** The Parquet files, by key. */
  files(table: 'candles' | 'moves'): [key: string, body: Uint8Array][] {
    const files = [...this.store.objects].filter(([key]) => key.startsWith(`columns/${table}/`));
    return files
      .map(([key, { body }]): [string, Uint8Array] => [key, body])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** All rows as the index has them; each has to be in the file of its month. */
  async rows<Row>(table: 'candles' | 'moves'): Promise<Row[]> {
    const all: Row[] = [];
    for (const [key] of this.files(table)) {
      // A name of its own: DuckDB remembers what it has read by the name of its file.
      const path = join(folder, `${randomUUID()}.parquet`);
      await this.store.fetchFile(key, path);
      const found = await database.rows<{ json: string }>(
        `SELECT to_json({${FIELDS[table]}})::VARCHAR AS json FROM read_parquet('${path}')`,
      );
      for (const { json } of found) {
        const row = rowOf(json);
        const timeMs = row.startMs ?? Date.parse(row.confirmed_time ?? '');
        expect(key).toContain(`/month=${new Date(timeMs).toISOString().slice(0, 7)}/`);
        all.push(row as Row);
      }
    }
    return all;
  }
}

const fieldsOf = (table: 'candles' | 'moves') =>
  Object.entries(columnsOf(table)).map(([name, kind]) => {
    if (name === 'start') return 'startMs: epoch_ms(start)';
    if (name === 'path') return 'path: list_transform(path, lambda p: [p.offset_ms, p.price])';
    return `${name}: ${kind === 'time' ? `strftime(${name}, '%Y-%m-%dT%H:%M:%S.%gZ')` : name}`;
  });
const FIELDS = { candles: fieldsOf('candles').join(), moves: fieldsOf('moves').join() };

function rowOf(json: string): typeof MARKET & { startMs?: number; confirmed_time?: string } {
  const present = Object.entries(JSON.parse(json)).filter(([, value]) => value !== null);
  return { ...MARKET, ...Object.fromEntries(present) };
}

const candleName = ({ symbol, hours, startMs }: Candle) => `${symbol} ${hours} ${startMs}`;
const moveName = ({ symbol, threshold, confirmed_time }: Move) => `${symbol} ${threshold} ${confirmed_time}`;
function byName<T>(rows: readonly T[], name: (row: T) => string): Map<string, T> {
  const map = new Map(rows.map((row) => [name(row), row]));
  expect(map.size).toBe(rows.length);
  return map;
}

async function expectAllThere(lake: Lake): Promise<void> {
  const expected = expectedDocuments(
    lake.ticks(),
    Number.POSITIVE_INFINITY,
    lake.recorded.map(({ recorded }) => recorded),
  );
  expect(byName(await lake.rows<Candle>('candles'), candleName)).toEqual(
    byName(expected.candles, candleName),
  );
  expect(byName(await lake.rows<Move>('moves'), moveName)).toEqual(byName(expected.moves, moveName));
}

describe('months of candles and moves', () => {
  it('are what the index has, whatever changes in whichever month, and the same bytes as if made at once', async () => {
    await fc.assert(
      fc.asyncProperty(changes, async (made) => {
        const [lake, atOnce] = [new Lake(), new Lake()];
        for (const change of made) {
          await lake.make(change);
          await atOnce.make(change);
          expect((await lake.compact()).failed).toBe(0);
          await expectAllThere(lake);
        }
        expect((await lake.compact()).written).toBe(0);
        await atOnce.compact();
        for (const table of ['candles', 'moves'] as const) {
          // Months whose candles were withdrawn stay, without rows.
          const known = new Map(atOnce.files(table));
          expect(new Map(lake.files(table).filter(([key]) => known.has(key)))).toEqual(known);
        }
      }),
      { numRuns: 4, examples: [[JUST_ENOUGH]] },
    );
  }, 120_000);

  it('are made to the end by the next run, wherever a run was killed and whatever was lost or damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(ticks, { minLength: 2, maxLength: 4 }),
        ticks,
        fc.nat(14),
        damages,
        async (first, late, kill, damages) => {
          const lake = new Lake();
          for (const change of first) await lake.make(change);
          await lake.compact();
          lake.damage(damages);
          await lake.make(late);
          lake.store.killAt = lake.store.writes + 1 + kill;
          await lake.compact().catch((error) => expect(error).toBeInstanceOf(Killed));
          lake.store.killAt = Number.POSITIVE_INFINITY;
          expect((await lake.compact()).failed).toBe(0);
          await expectAllThere(lake);
        },
      ),
      { numRuns: 4, examples: [noStates({ isDeleted: true }), noStates({ isDeleted: false })] },
    );
  }, 120_000);
});
