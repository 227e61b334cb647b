import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ManifestSource } from '../../../../core/columns/manifest.ts';
import type { ColumnFile } from '../../../../core/columns/objects.ts';
import type { WrittenFile } from '../../../../core/columns/ports.ts';
import { type ColumnKind, columnsOf } from '../../../../core/columns/tables.ts';
import { decodeLine } from '../../../../core/index/decode.ts';
import { tickersKey } from '../../../../core/lake/ticker-objects.ts';
import { parseTicker, type Ticker } from '../../../../core/market/ticker.ts';
import { TICKER_FIELDS } from '../../../../core/market/ticker-fields.ts';
import { withDatabase } from '../../../../stores/duckdb/database.ts';
import { quoted } from '../../../../stores/duckdb/sql-text.ts';
import { writeTickerFile } from '../../../../stores/duckdb/ticker-file.ts';
import { fullTicker, sampleTicker } from '../../../samples/tickers.ts';

const FILE: ColumnFile = { table: 'tickers', exchange: 'bybit', category: 'spot', period: '2026-03-01' };
const FIRST_MS = Date.parse('2026-03-01T00:00:00.000Z');
const slotAt = (position: number) => new Date(FIRST_MS + position * 120_000).toISOString();

interface WrittenDay extends Omit<WrittenFile, 'path'> {
  keys: string[];
  /** In the file's order, times as epoch ms. */
  rows: Record<string, unknown>[];
}

/** Writes the day of these objects, one for each slot. */
async function write(bodies: readonly Uint8Array[], order = (keys: ManifestSource[]) => keys) {
  const objects = new Map(
    bodies.map((body, position) => [
      tickersKey({ exchange: 'bybit', category: 'spot', slotMs: FIRST_MS + position * 120_000 }),
      body,
    ]),
  );
  const sources = [...objects.keys()].map((key) => ({ key, etag: '"1"' }));
  const store = { read: async (key: string) => objects.get(key) };
  return new Promise<WrittenDay>((resolve, reject) => {
    writeTickerFile(store, FILE, order(sources), async ({ path, ...file }) => {
      resolve({ ...file, keys: [...objects.keys()], rows: await rowsOf(path) });
    }).catch(reject);
  });
}

const pack = (lines: readonly string[]) => gzipSync(`${lines.join('\n')}\n`);
const lineOf = (given: Partial<Ticker> = {}) => JSON.stringify(sampleTicker({ slot: slotAt(0), ...given }));

function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  return withDatabase('64MB', async (database) => {
    const rows = await database.rows<Record<string, unknown>>(`FROM read_parquet(${quoted(path)})`);
    return rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])),
    );
  });
}

const plain = (value: unknown) => (value instanceof Date ? value.getTime() : value);

/** The row of a ticker: null for what it lacks. */
function rowOf(ticker: Ticker): Record<string, unknown> {
  const cellOf = (name: string, kind: ColumnKind) => {
    const value = (ticker as unknown as Record<string, unknown>)[name];
    if (value === undefined) return null;
    return kind === 'time' ? Date.parse(value as string) : value;
  };
  return Object.fromEntries(
    Object.entries(columnsOf('tickers')).map(([name, kind]) => [name, cellOf(name, kind)]),
  );
}

const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const VALUES = {
  price: number.map((value) => Math.abs(value) || 1),
  number,
  fraction: number,
  time: fc
    .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  text: fc.constantFrom('ZeroMinusTick', 'a word', 'Ä 😀', '"quoted"', "it's"),
};
const fields = fc.record(
  Object.fromEntries(Object.entries(TICKER_FIELDS).map(([field, kind]) => [field, VALUES[kind]])),
  { requiredKeys: ['last_price'] },
);
const ticker = fc
  .tuple(fc.constantFrom('BTCUSDT', 'ETHUSDT', '币安人生USDT', "GAL(FT)'s", '@107'), fields)
  .map(([symbol, values]) => ({ ...sampleTicker(), symbol, ...values }) as Ticker);

/** A line of an object: a ticker, as ingest writes it or as somebody else might, or something else. */
const line = fc.oneof(
  { weight: 6, arbitrary: ticker.map((each) => (slot: string) => JSON.stringify({ ...each, slot })) },
  fc.oneof(
    ticker.map((each) => (slot: string) => JSON.stringify({ ...each, slot }, null, 1).replaceAll('\n', ' ')),
    ticker.map((each) => (slot: string) => JSON.stringify({ ...each, slot, newer_field: { deep: [1] } })),
    ticker.map(
      (each) => (slot: string) =>
        JSON.stringify({ ...each, slot }).replace(/\}$/, ',"last_price":7.25,"bid_size":3,"bid_size":4}'),
    ),
    ticker.map((each) => (slot: string) => `\ufeff${JSON.stringify({ ...each, slot })}\r`),
    ticker.map((each) => () => JSON.stringify({ ...each, slot: slotAt(99) })),
    ticker.map((each) => (slot: string) => JSON.stringify({ ...each, slot, category: 'linear' })),
    fc.constantFrom('{', 'null', '[]', '{"v":1}', 'not JSON', '"\\u0000"').map((text) => () => text),
  ),
);

/** The rows that a day must have: what the index would take. */
function expectedRows(objects: readonly string[][]): Record<string, unknown>[] {
  const rows = objects.flatMap((lines, position) => {
    const bySymbol = new Map<string, Ticker>();
    for (const text of lines) {
      const parsed = parseTicker(text);
      if ('reason' in parsed || 'reason' in decodeLine(text, Date.now())) continue;
      const { category, slot, symbol } = parsed.ticker;
      if (category !== 'spot' || slot !== slotAt(position) || bySymbol.has(symbol)) continue;
      bySymbol.set(symbol, parsed.ticker);
    }
    return [...bySymbol.values()];
  });
  const bytes = (text: string) => Buffer.from(text);
  return rows
    .sort((a, b) => Buffer.compare(bytes(a.symbol), bytes(b.symbol)) || (a.slot < b.slot ? -1 : 1))
    .map(rowOf);
}

describe("a day's Parquet file of tickers", () => {
  it('has the tickers that the index takes from the same objects, with null for what they lack', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(line, { maxLength: 12 }), { minLength: 1, maxLength: 6 }),
        async (objects) => {
          const texts = objects.map((lines, position) => lines.map((each) => each(slotAt(position))));
          const file = await write(texts.map(pack));
          const expected = expectedRows(texts);
          expect(file.rows).toEqual(expected);
          const lines = texts.flat().length;
          expect(file.content).toMatchObject({ rows: expected.length, skipped: lines - expected.length });
        },
      ),
      { numRuns: 8 },
    );
  });

  it('has every field, exactly', async () => {
    const full = fullTicker({ slot: slotAt(0) });
    expect(await write([pack([JSON.stringify(full)])])).toMatchObject({ rows: [rowOf(full)] });
  });

  it('is the same to the byte, in whatever order the objects are listed', async () => {
    const slots = Array.from({ length: 30 }, (_, position) =>
      pack(
        ['B', 'A', 'C', 'AA'].map((symbol) =>
          lineOf({ symbol, slot: slotAt(position), last_price: position + 1 }),
        ),
      ),
    );
    const shas = await Promise.all(
      [(keys: ManifestSource[]) => keys, (keys: ManifestSource[]) => keys.toReversed()].map(
        async (order) => (await write(slots, order)).content.sha256,
      ),
    );
    expect(new Set(shas).size).toBe(1);
  });

  it('leaves out objects that cannot be read, and names them', async () => {
    const good = pack([lineOf()]);
    const file = await write([good, Buffer.from('not gzip'), good.subarray(0, 40), pack([])]);
    expect(file.content).toMatchObject({
      rows: 1,
      symbols: { BTCUSDT: 1 },
      first: slotAt(0),
      last: slotAt(0),
    });
    expect(file.content.unreadable).toEqual(file.keys.slice(1, 3));
    expect(file.problems).toEqual([
      expect.stringContaining(file.keys[1] as string),
      expect.stringContaining(file.keys[2] as string),
    ]);
  });

  it('has no rows if no object has any', async () => {
    const { content, rows } = await write([pack(['oops'])]);
    expect(content).toMatchObject({ rows: 0, symbols: {}, skipped: 1 });
    expect(content).not.toHaveProperty('first');
    expect(rows).toEqual([]);
  });
});
