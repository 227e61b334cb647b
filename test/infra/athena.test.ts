import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeChanges, exceedancesOf } from '../../core/insights/exceedances.ts';
import { candleFromTicks, type PriceTick } from '../../core/market/candle.ts';
import { DAY_MS, HOUR_MS, hourOf } from '../../core/market/time.ts';
import { averageQuery, exceedancesQuery } from '../../lib/lake/questions.ts';
import { pythonTool } from '../python/python-tool.ts';

/** Athena speaks Trino's SQL: what DuckDB calls otherwise, and the time of the query. */
const MACROS = `
SET TimeZone = 'UTC';
CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMPTZ);
CREATE MACRO to_iso8601(day) AS strftime(day, '%Y-%m-%d');
CREATE TABLE tickers (exchange VARCHAR, category VARCHAR, symbol VARCHAR, dt VARCHAR, slot VARCHAR, last_price DOUBLE);
`;

const RUN = `
import duckdb, json, sys
asked = json.load(open(sys.argv[1]))
db = duckdb.connect()
db.execute(asked["setup"])
db.execute(f"COPY tickers FROM '{asked['ticks']}' (HEADER false)")
found = db.execute(asked["query"])
names = [column[0] for column in found.description]
print(json.dumps([dict(zip(names, map(float, row))) for row in found.fetchall()]))
`;

const NOW_MS = Date.parse('2026-03-31T12:34:56Z');
const UNTIL_MS = hourOf(NOW_MS);
const WINDOW = { fromMs: UNTIL_MS - 90 * DAY_MS, toMs: UNTIL_MS };
const SERIES = { exchange: 'kraken', category: 'spot', symbol: 'XXBTZUSD' } as const;

let folder: string;
let bin: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'athena-'));
  bin = await pythonTool('duckdb');
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a saved query on ticks, as of `NOW_MS`. */
async function ask(query: string, ticks: readonly PriceTick[], others: unknown[][] = []) {
  const date = new Date(NOW_MS).toISOString();
  const rows = ticks.map(({ slotMs, price }) => {
    const slot = new Date(slotMs).toISOString();
    return [SERIES.exchange, SERIES.category, SERIES.symbol, slot.slice(0, 10), slot, price];
  });
  const asked = {
    setup: MACROS,
    ticks: join(folder, 'ticks.csv'),
    query: query
      .replaceAll('current_timestamp', `TIMESTAMPTZ '${date}'`)
      .replaceAll('current_date', `DATE '${date.slice(0, 10)}'`),
  };
  await writeFile(asked.ticks, [...rows, ...others].map((row) => `${row.join(',')}\n`).join(''));
  const path = join(folder, 'asked.json');
  await writeFile(path, JSON.stringify(asked));
  const { stdout } = await promisify(execFile)(`${bin}/python`, ['-c', RUN, path]);
  return JSON.parse(stdout) as Record<string, number>[];
}

/** Two ticks an hour; each hour closes exactly 10 % up or down, or 1 % up. Some hours are missing. */
const ticks: PriceTick[] = [];
let price = 100;
for (let hour = -30; hour < 90 * 24 + 1; hour++) {
  price *= hour % 3 === 0 ? 1.1 : hour % 3 === 1 ? 0.9 : 1.01;
  if (hour % 50 === 7) continue;
  const startMs = WINDOW.fromMs + hour * HOUR_MS;
  ticks.push({ slotMs: startMs + 60_000, price: price * 0.95 }, { slotMs: startMs + 1_800_000, price });
}
const candles = [...Map.groupBy(ticks, ({ slotMs }) => hourOf(slotMs))].map(([startMs, inHour]) =>
  candleFromTicks(SERIES, startMs, inHour),
);
const inWindow = candles.filter(({ startMs }) => startMs >= WINDOW.fromMs && startMs < WINDOW.toMs);

describe('the saved query for', () => {
  it('the average price gives that of insights, with a coverage of at most 1', async () => {
    const [answer] = await ask(averageQuery('tickers'), ticks);
    const mean = inWindow.reduce((sum, candle) => sum + candle.mean, 0) / inWindow.length;
    expect(inWindow.length).toBeLessThan(90 * 24);
    expect(answer?.average_price).toBeCloseTo(mean, 9);
    expect(answer?.hours_with_data).toBe(inWindow.length);
    expect(answer?.coverage).toBe(inWindow.length / (90 * 24));
    const full = Array.from({ length: 92 * 24 + 1 }, (_, hour) => ({
      slotMs: WINDOW.fromMs + (hour - 48) * HOUR_MS,
      price: 1,
    }));
    expect(await ask(averageQuery('tickers'), full)).toEqual([
      { average_price: 1, hours_with_data: 90 * 24, coverage: 1 },
    ]);
  }, 60_000);

  it('rises and falls counts the exceedances of insights, and those of its first hour', async () => {
    const answer = await ask(exceedancesQuery('tickers'), ticks);
    const changes = closeChanges(candles, WINDOW);
    expect(answer).toEqual(
      [0.01, 0.05, 0.1].map((threshold) => {
        const { hoursUp, hoursDown } = exceedancesOf(changes, threshold);
        expect(hoursUp).toBeGreaterThan(600);
        return { threshold, hours_up: hoursUp, hours_down: hoursDown };
      }),
    );
    const firstHour = [
      { slotMs: WINDOW.fromMs - HOUR_MS, price: 100 },
      { slotMs: WINDOW.fromMs, price: 110 },
    ];
    expect((await ask(exceedancesQuery('tickers'), firstHour)).map(({ hours_up }) => hours_up)).toEqual([
      1, 1, 1,
    ]);
  }, 60_000);

  it('either reads only the one series', async () => {
    const slot = new Date(WINDOW.fromMs).toISOString();
    const other = [['kraken', 'spot', 'XETHZUSD', slot.slice(0, 10), slot, 999]];
    const one = [{ slotMs: WINDOW.fromMs, price: 5 }];
    expect(await ask(averageQuery('tickers'), one, other)).toMatchObject([
      { average_price: 5, hours_with_data: 1 },
    ]);
  }, 60_000);
});
