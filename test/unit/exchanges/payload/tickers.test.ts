import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tickerSchema } from '../../../../core/market/ticker.ts';
import {
  type FieldNames,
  fieldOf,
  fieldReaders,
  percent,
  readDecimal,
  readTime,
} from '../../../../exchanges/payload/fields.ts';
import { marketFilter } from '../../../../exchanges/payload/market-filter.ts';
import { entriesOf, normaliseList, normaliseTicker } from '../../../../exchanges/payload/tickers.ts';
import { SLOT } from '../../../samples/tickers.ts';

const NAMES = {
  last: 'last_price',
  bid: 'bid_price',
  change: 'price_24h_pcnt',
  funding: 'next_funding_time',
  tick: 'last_tick_direction',
} as const satisfies FieldNames;
const FIELDS = fieldReaders(NAMES);
const RECEIPT = {
  exchange: 'bybit',
  category: 'spot',
  url: 'http://exchange.example/tickers',
  slot: SLOT,
  receivedAt: '2026-03-01T12:00:00.456Z',
  timestamp: '2026-03-01T12:00:00.123Z',
  wants: () => true,
} as const;

const normalise = (raw: unknown) => normaliseTicker(raw, FIELDS, { symbol: fieldOf(raw, 'symbol') }, RECEIPT);
const UNKNOWN = { pairOf: () => ({}) };
const list = (raw: unknown[]) => normaliseList(entriesOf(raw, 'symbol'), FIELDS, UNKNOWN, RECEIPT);
const reasonOf = (given: Record<string, unknown>) => {
  const outcome = normalise({ symbol: 'BTCUSDT', last: '1', ...given });
  return 'reason' in outcome ? outcome.reason : undefined;
};

/** Numbers as exchanges write them, and other things. */
const rawNumber = fc.oneof(
  fc.double().map(String),
  fc.integer().map(String),
  fc.stringMatching(/^-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?$/),
  fc.double(),
  fc.constantFrom(
    '',
    '0',
    '-0.00',
    '0.0000',
    '1e-9',
    '1e400',
    '1e-400',
    'NaN',
    'Infinity',
    '0x10',
    '1,5',
    ' 1',
  ),
  fc.jsonValue(),
);

describe('reading a decimal', () => {
  it.each([
    ['20533.13', 20533.13],
    ['0.000000001', 1e-9],
    ['1e-9', 1e-9],
    ['1E+3', 1000],
    ['+5', 5],
    ['.5', 0.5],
    ['5.', 5],
    ['007', 7],
    ['243765620.65899866', 243765620.65899867],
    ['340282346638528860000000000000000000000', 3.4028234663852886e38],
    ['5e-324', 5e-324],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    [78923133, 78923133],
    [-0.5, -0.5],
  ])('%j is %d', (raw, value) => {
    expect(readDecimal(raw)).toEqual({ value });
  });

  it.each(['0', '-0', '-0.00', '0e5', 0, -0])('%j is plain 0', (raw) => {
    expect(readDecimal(raw)).toEqual({ value: 0 });
  });

  it.each(['', null, undefined])('%j is absent', (raw) => {
    expect(readDecimal(raw)).toEqual({ value: undefined });
  });

  it.each([
    'NaN',
    'Infinity',
    '-Infinity',
    '0x10',
    '0b1',
    '1_000',
    '1,000',
    '1.2.3',
    ' 1',
    '1 ',
    '1\n',
    'abc',
    '--',
    '-',
    '.',
    'e5',
    '1e',
    '١',
    true,
    false,
    {},
    [],
    [1],
    ['1'],
  ])('%j is not a decimal', (raw) => {
    expect(readDecimal(raw)).toEqual({ reason: `expected a decimal number, got ${JSON.stringify(raw)}` });
  });

  it('refuses what a double cannot represent, and shows it', () => {
    expect(readDecimal('1e309')).toEqual({ reason: '"1e309" is too large for a double' });
    expect(readDecimal('1e-400')).toEqual({ reason: '"1e-400" is too small for a double' });
    expect(readDecimal(JSON.parse('1e999'))).toEqual({ reason: 'Infinity is too large for a double' });
  });

  it('reads every double sent as text', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(readDecimal(String(value))).toEqual({ value: value === 0 ? 0 : value });
      }),
    );
  });

  it('is quick to refuse a very long text', () => {
    expect(readDecimal(`${'1'.repeat(200_000)}x`)).toHaveProperty('reason');
  }, 1_000);
});

describe('reading a time', () => {
  it.each([
    ['1760371200000', '2025-10-13T16:00:00.000Z'],
    [1760371200000, '2025-10-13T16:00:00.000Z'],
    ['2019-08-30T00:00:00Z', '2019-08-30T00:00:00.000Z'],
    ['2019-08-30T00:00:00.123456Z', '2019-08-30T00:00:00.123Z'],
    ['2019-08-30T02:00:00+02:00', '2019-08-30T00:00:00.000Z'],
  ])('%j is %s', (raw, value) => {
    expect(readTime(raw)).toEqual({ value });
  });

  it.each(['', null, undefined, 0, '0'])('%j is absent', (raw) => {
    expect(readTime(raw)).toEqual({ value: undefined });
  });

  it.each<unknown>([
    '2019-08-30T00:00:00', // would be read in this machine's time zone
    '2019-02-31T00:00:00Z',
    '2019-08-30',
    'Fri, 30 Aug 2019 00:00:00 GMT',
    '-1',
    '1.5',
    '253402300800000', // the year 10000
    1.5,
    -1,
    Number.NaN,
    true,
    {},
    [],
    ['1760371200000'],
    { toString: 1, valueOf: 1 },
  ])('%j is not a time', (raw) => {
    expect(readTime(raw)).toHaveProperty('reason');
  });
});

describe('reading a percentage', () => {
  const { read } = percent('price_24h_pcnt');

  it.each([
    ['-95.960', -0.9596],
    ['0.68', 0.0068],
    ['1e2', 1],
    ['0', 0],
    [0.1, 0.001],
    [1e-7, 1e-9],
    [1.5e21, 1.5e19],
  ])('%j is the fraction %d, to the last digit', (raw, value) => {
    expect(read(raw)).toEqual({ value });
  });

  it.each(['', null, undefined])('%j is absent', (raw) => {
    expect(read(raw)).toEqual({ value: undefined });
  });

  it.each(['-1.5%', 'x', {}])('%j is not a percentage', (raw) => {
    expect(read(raw)).toHaveProperty('reason');
  });
});

describe('the change of 24 hours', () => {
  const DAY = fieldReaders({ last: 'last_price', open: 'prev_price_24h', change: 'price_24h_pcnt' });
  const changeOf = (raw: object) => {
    const outcome = normaliseTicker(raw, DAY, { symbol: 'A' }, RECEIPT);
    return 'ticker' in outcome ? outcome.ticker.price_24h_pcnt : outcome;
  };

  it('is what the exchange reports', () => {
    expect(changeOf({ last: '110', open: '100', change: '0.0999' })).toBe(0.0999);
  });

  it('is computed if it reports only the price of 24 hours ago', () => {
    expect(changeOf({ last: '75', open: '100', change: '' })).toBe(-0.25);
  });

  it('is left out if it reports neither, or if it is too large for a float', () => {
    expect(changeOf({ last: '75', open: '0' })).toBeUndefined();
    expect(changeOf({ last: '1e300', open: '1e-300' })).toBeUndefined();
  });
});

describe('normalising a ticker', () => {
  it('keeps what is there and leaves out what is absent', () => {
    const raw = {
      symbol: 'BTCUSDT',
      last: '1e-9',
      bid: '',
      change: '-0.02',
      funding: null,
      extra: 'ignored',
    };
    expect(normalise(raw)).toEqual({
      ticker: {
        v: 1,
        exchange: 'bybit',
        category: 'spot',
        symbol: 'BTCUSDT',
        slot: SLOT,
        timestamp: RECEIPT.timestamp,
        received_at: RECEIPT.receivedAt,
        last_price: 1e-9,
        price_24h_pcnt: -0.02,
      },
    });
  });

  it('uses the receipt time if the exchange gives none', () => {
    const outcome = normaliseTicker(
      { last: 1 },
      FIELDS,
      { symbol: 'A' },
      {
        ...RECEIPT,
        timestamp: undefined,
      },
    );
    expect(outcome).toMatchObject({ ticker: { timestamp: RECEIPT.receivedAt } });
  });

  it('treats a price of 0 as absent, and any other 0 as 0', () => {
    expect(normalise({ symbol: 'A', last: '1', bid: '0', change: '0' })).toEqual({
      ticker: expect.not.objectContaining({ bid_price: expect.anything() }),
    });
    expect(normalise({ symbol: 'A', last: '1', bid: '0', change: '0' })).toMatchObject({
      ticker: { price_24h_pcnt: 0 },
    });
  });

  it('refuses a ticker without a last price', () => {
    expect(reasonOf({ last: undefined })).toBe('last: a price above 0 is required, got nothing');
  });

  it.each([null, '', '0', 0, '0.000'])('takes a last price of %j for a market without a trade', (last) => {
    expect(normalise({ symbol: 'A', last })).toEqual({
      absence: { kind: 'untraded', reason: 'it has no price yet' },
    });
  });

  it.each([
    [{ last: 'abc' }, 'last: expected a decimal number, got "abc"'],
    [{ last: '-1' }, 'last: a price cannot be negative, got "-1"'],
    [{ change: 'NaN' }, 'change: expected a decimal number, got "NaN"'],
    [{ change: true }, 'change: expected a decimal number, got true'],
    [{ funding: 'soon' }, 'funding: expected a time in epoch ms or ISO 8601, got "soon"'],
    [{ tick: 5 }, 'tick: expected text, got 5'],
    [{ tick: 'x'.repeat(101) }, `tick: expected at most 100 printable characters, got "${'x'.repeat(79)}…`],
    [{ symbol: undefined }, 'symbol: expected text, got nothing'],
    [{ symbol: 5 }, 'symbol: expected text, got 5'],
  ])('names the field that is wrong in %j', (given, reason) => {
    expect(reasonOf(given)).toBe(reason);
  });

  it.each<unknown>([null, 'BTCUSDT', 5, true, [], [{ symbol: 'BTCUSDT', last: '1' }]])(
    'refuses %j',
    (raw) => {
      expect(normalise(raw)).toEqual({ reason: `expected an object, got ${JSON.stringify(raw)}` });
    },
  );

  it.each(['', ' ', 'BTC USDT', 'BTC\nUSDT', 'BTC\u0000', 'x'.repeat(101), '\ud800'])(
    'refuses the symbol %j',
    (symbol) => {
      expect(reasonOf({ symbol })).toMatch(/^symbol: /);
    },
  );

  it.each([
    '1000PEPEUSDT',
    'BTC/USDT',
    'BTC-30DEC22-18000-C',
    'btc_usdt',
    '__proto__',
    '币USDT',
    '🚀',
    'x'.repeat(100),
  ])('keeps the spelling of the symbol %j', (symbol) => {
    expect(normalise({ symbol, last: '1' })).toMatchObject({ ticker: { symbol } });
  });

  it('shortens a long value in its reason', () => {
    expect((reasonOf({ last: 'x'.repeat(5_000) }) as string).length).toBeLessThan(150);
  });

  it('never throws, and never makes a ticker that the schema refuses', () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          symbol: fc.oneof(fc.string(), fc.constant('BTCUSDT'), fc.jsonValue()),
          last: rawNumber,
          bid: rawNumber,
          change: rawNumber,
          funding: rawNumber,
          tick: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(anything, (raw) => {
        const outcome = normalise(raw);
        if ('ticker' in outcome) expect(tickerSchema.parse(outcome.ticker)).toEqual(outcome.ticker);
        else if ('reason' in outcome) expect(outcome.reason).not.toBe('');
        else expect(outcome.absence.kind).toBe('untraded');
      }),
      { numRuns: 500 },
    );
  });

  it('never invents a number', () => {
    const raw = fc.record({ symbol: fc.constant('A'), last: rawNumber, bid: rawNumber, change: rawNumber });
    fc.assert(
      fc.property(raw, (given) => {
        const outcome = normalise(given);
        if (!('ticker' in outcome)) return;
        for (const [theirs, ours] of Object.entries(NAMES)) {
          const value = outcome.ticker[ours];
          if (typeof value !== 'number') continue;
          const said = (given as Record<string, unknown>)[theirs];
          expect(['string', 'number']).toContain(typeof said);
          expect(said).not.toBe('');
          expect(value).toBe(Number(said) + 0); // -0 is 0
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('normalising a list', () => {
  it('keeps only the wanted markets, but still rejects entries without a symbol', () => {
    const wants = marketFilter({ quote: 'usdt', symbols: { exclude: ['DOGE*'] } });
    const quotes: Record<string, string> = { BTCUSDT: 'USDT', BTCEUR: 'EUR', DOGEUSDT: 'USDT' };
    const raw = [...Object.keys(quotes), 'WHO'].map((symbol) => ({ symbol, last: '1' }));
    const { tickers, rejected } = normaliseList(
      entriesOf([...raw, { last: '1' }, { symbol: 'BTCEUR', last: 'oops' }], 'symbol'),
      FIELDS,
      { pairOf: (symbol) => ({ quote: quotes[symbol] }) },
      { ...RECEIPT, wants },
    );
    expect(tickers.map(({ symbol, quote }) => [symbol, quote])).toEqual([['BTCUSDT', 'USDT']]);
    expect(rejected.map(({ value }) => value)).toEqual([{ last: '1' }]);
  });

  it('uses the receipt of an entry that has its own', () => {
    const from = { url: 'http://exchange.example/A', receivedAt: '2026-03-01T12:00:01.000Z' };
    const entries = ['1', 'oops'].map((last) => ({ symbol: last, values: { last }, raw: { last }, from }));
    expect(normaliseList(entries, FIELDS, UNKNOWN, { ...RECEIPT, timestamp: undefined })).toMatchObject({
      tickers: [{ received_at: from.receivedAt, timestamp: from.receivedAt }],
      rejected: [{ url: from.url, received_at: from.receivedAt }],
    });
  });

  it('keeps the valid tickers if another is invalid', () => {
    const bad = { symbol: 'BADUSDT', last: 'oops' };
    const { tickers, rejected } = list([{ symbol: 'A', last: '1' }, bad, { symbol: 'B', last: '2' }]);
    expect(tickers.map(({ symbol }) => symbol)).toEqual(['A', 'B']);
    expect(rejected).toEqual([
      {
        v: 1,
        exchange: 'bybit',
        category: 'spot',
        slot: SLOT,
        received_at: RECEIPT.receivedAt,
        url: RECEIPT.url,
        reason: 'last: expected a decimal number, got "oops"',
        value: bad,
      },
    ]);
  });

  it('keeps the first of a repeated symbol', () => {
    const second = { symbol: 'A', last: '2' };
    const { tickers, rejected } = list([{ symbol: 'A', last: '1' }, second]);
    expect(tickers).toMatchObject([{ symbol: 'A', last_price: 1 }]);
    expect(rejected).toMatchObject([{ reason: 'symbol: "A" appears twice in one payload', value: second }]);
  });

  it('keeps a valid ticker after an invalid one of the same symbol', () => {
    const { tickers, rejected } = list([
      { symbol: 'A', last: 'oops' },
      { symbol: 'A', last: '2' },
    ]);
    expect(tickers).toMatchObject([{ last_price: 2 }]);
    expect(rejected).toHaveLength(1);
  });

  it('distinguishes symbols by their case', () => {
    const { tickers } = list([
      { symbol: 'btcusdt', last: '1' },
      { symbol: 'BTCUSDT', last: '1' },
    ]);
    expect(tickers).toHaveLength(2);
  });

  it('rejects every entry that is not an object, and keeps it', () => {
    const entries = [null, 'BTCUSDT', 5, true, [], {}];
    const { tickers, rejected } = list(entries);
    expect(tickers).toEqual([]);
    expect(rejected.map(({ value }) => value)).toEqual(entries);
  });

  it('keeps the order of 700 symbols', () => {
    const raw = Array.from({ length: 700 }, (_, index) => ({
      symbol: `C${index}USDT`,
      last: `${index + 1}e-9`,
    }));
    const { tickers, rejected } = list(raw);
    expect(rejected).toEqual([]);
    expect(tickers.map(({ symbol, last_price }) => [symbol, last_price])).toEqual(
      raw.map(({ symbol, last }) => [symbol, Number(last)]),
    );
  });

  it('loses nothing: every entry is a ticker or rejected', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (raw) => {
        const { tickers, rejected } = list(raw);
        expect(tickers.length + rejected.length).toBe(raw.length);
      }),
    );
  });
});
