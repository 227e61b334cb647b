import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../../../core/market/time.ts';
import { NOW_MS, read, temporaryFiles, zipOf } from './files.ts';

const write = temporaryFiles();

interface Given {
  symbol: string;
  startMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

const START_MS = Date.UTC(2024, 1, 28);
const price = fc.double({ min: 1e-9, max: 1e7, noNaN: true });

/** Hours of one or two symbols, with gaps; the first two of each are neighbours. */
const table: fc.Arbitrary<Given[]> = fc
  .uniqueArray(fc.constantFrom('BTCUSD', 'ETH-USD', 'tDOGE:USD', 'USDT/BRL'), { minLength: 1, maxLength: 2 })
  .chain((symbols) =>
    fc.tuple(
      ...symbols.map((symbol) =>
        fc.uniqueArray(fc.integer({ min: 2, max: 60 }), { maxLength: 12 }).chain((hours) =>
          fc.tuple(
            ...[0, 1, ...hours.sort((a, b) => a - b)].map((hour) =>
              fc
                .tuple(price, price, price, price, fc.double({ min: 0, max: 1e9, noNaN: true }))
                .map(([a, b, c, d, volume]): Given => {
                  const [low, open, close, high] = [a, b, c, d].sort((x, y) => x - y) as [
                    number,
                    number,
                    number,
                    number,
                  ];
                  return { symbol, startMs: START_MS + hour * HOUR_MS, open, high, low, close, volume };
                }),
            ),
          ),
        ),
      ),
    ),
  )
  .map((ofSymbols) => ofSymbols.flat());

const iso = (ms: number) => new Date(ms).toISOString();
const TIMES: Record<string, (ms: number) => string> = {
  seconds: (ms) => String(ms / 1_000),
  'pandas seconds': (ms) => `${ms / 1_000}.0`,
  milliseconds: String,
  microseconds: (ms) => `${ms}000`,
  nanoseconds: (ms) => `${ms}000000`,
  scientific: (ms) => (ms / 1_000).toExponential(),
  iso,
  'without T and Z': (ms) => iso(ms).slice(0, 19).replace('T', ' '),
  offset: (ms) => iso(ms + 5.5 * HOUR_MS).replace('.000Z', '+05:30'),
  'behind UTC': (ms) =>
    `${iso(ms - 3 * HOUR_MS)
      .slice(0, 19)
      .replace('T', ' ')}-03:00`,
};
const NUMBERS: Record<string, (value: number) => string> = {
  plain: String,
  scientific: (value) => value.toExponential(),
  spaces: (value) => ` ${value} `,
};

const writing = fc.record({
  time: fc.constantFrom(...Object.keys(TIMES)),
  number: fc.constantFrom(...Object.keys(NUMBERS)),
  separator: fc.constantFrom(',', ';', '\t', '|'),
  quotes: fc.boolean(),
  bom: fc.boolean(),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  atEnd: fc.boolean(),
  packing: fc.constantFrom('plain', 'gzip', 'zip', 'json'),
  columns: fc.shuffledSubarray(['start', 'symbol', 'open', 'high', 'low', 'close', 'volume'], {
    minLength: 7,
  }),
  order: fc.infiniteStream(fc.nat()),
  twice: fc.array(fc.nat(), { maxLength: 3 }),
  absent: fc.array(fc.tuple(fc.nat(), fc.constantFrom('', 'null', 'NaN', 'None')), { maxLength: 3 }),
});
type Writing = typeof writing extends fc.Arbitrary<infer T> ? T : never;

function written(
  rows: readonly Given[],
  how: Writing,
): { name: string; content: string | Buffer; rows: string[] } {
  const { columns, order, twice, absent, separator, lineEnd } = how;
  const texts = rows.map((row) => {
    const number = NUMBERS[how.number] ?? String;
    const cells: Record<string, string> = { start: TIMES[how.time]?.(row.startMs) ?? '', symbol: row.symbol };
    for (const name of ['open', 'high', 'low', 'close', 'volume'] as const) cells[name] = number(row[name]);
    return cells;
  });
  const all: Record<string, string>[] = [
    ...texts,
    ...twice.map((at) => texts[at % texts.length] ?? {}),
    ...absent.map(([at, nothing]) => ({ ...texts[at % texts.length], close: nothing })),
  ];
  const shuffled = all
    .map((cells) => ({ cells, key: order.next().value }))
    .sort((a, b) => a.key - b.key)
    .map(({ cells }) => cells);
  const quote = (cell: string) => (how.quotes ? `"${cell}"` : cell);
  const lines =
    how.packing === 'json'
      ? shuffled.map((cells) =>
          JSON.stringify(Object.fromEntries(columns.map((name) => [name, cells[name]]))),
        )
      : shuffled.map((cells) => columns.map((name) => quote(cells[name] ?? '')).join(separator));
  const header = how.packing === 'json' ? [] : [columns.join(separator)];
  const text = `${how.bom ? '\ufeff' : ''}${[...header, ...lines].join(lineEnd)}${how.atEnd ? lineEnd : ''}`;
  switch (how.packing) {
    case 'gzip':
      return { name: 'a.csv.gz', content: gzipSync(text), rows: lines };
    case 'zip':
      return { name: 'a.zip', content: zipOf('a.csv', text), rows: lines };
    default:
      return { name: how.packing === 'json' ? 'a.jsonl' : 'a.csv', content: text, rows: lines };
  }
}

describe('a table of candles', () => {
  it('gives the same candles, however it is written', async () => {
    await fc.assert(
      fc.asyncProperty(table, writing, async (rows, how) => {
        const { name, content } = written(rows, how);
        const { candles, files } = await read(write(name, content));
        const expected = rows
          .map((row) => ({ ...row, hours: 1 }))
          .sort((a, b) => (a.symbol === b.symbol ? a.startMs - b.startMs : a.symbol < b.symbol ? -1 : 1));
        expect(candles).toEqual(expected);
        expect(files[0]?.withoutPrice).toBe(how.absent.length);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  const FAULTS: Record<string, (row: Given) => object> = {
    'low is "0"': () => ({ low: 0 }),
    'close is "-1"': () => ({ close: -1 }),
    'open is "1,5"': () => ({ open: '1,5' }),
    'the prices contradict each other': ({ low, high }) => ({ low: high * 2, high: low }),
    'is in the future': () => ({ startMs: NOW_MS + DAY_MS }),
    'is before 2009': () => ({ startMs: Date.UTC(2008, 0, 1) }),
    'another row for': ({ close, high }) => ({
      close: close === high ? high / 2 + close / 2.000_1 : high,
      low: 1e-10,
    }),
    'volume is "-1"': () => ({ volume: -1 }),
  };

  it('is refused as a whole for one bad row anywhere, whose line is named', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom(...Object.keys(FAULTS)),
        fc.nat(),
        fc.nat(),
        async (rows, problem, of, at) => {
          const given = rows[of % rows.length] as Given;
          const bad = { ...given, ...FAULTS[problem]?.(given) };
          const position = at % (rows.length + 1);
          const all = [...rows.slice(0, position), bad, ...rows.slice(position)];
          const columns = ['startMs', 'symbol', 'open', 'high', 'low', 'close', 'volume'] as const;
          const lines = all.map((row) =>
            columns.map((name) => `"${name === 'startMs' ? iso(row[name]) : row[name]}"`).join(','),
          );
          const file = write('bad.csv', ['start,symbol,open,high,low,close,volume', ...lines].join('\n\n'));
          const started = read(file).then(
            () => 'was read',
            (error) => error,
          );
          const error = await started;
          expect(error).toBeInstanceOf(Error);
          expect(error.message).toContain(problem);
          // A contradiction is named where the second of the two is.
          const line = problem === 'another row for' ? Math.max(position, all.lastIndexOf(given)) : position;
          expect(error.line).toBe(3 + 2 * line);
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);
});
