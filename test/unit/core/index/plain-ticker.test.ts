import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPlainTicker } from '../../../../core/index/plain-ticker.ts';
import { tickerSchema } from '../../../../core/market/ticker.ts';
import { TICKER_FIELDS } from '../../../../core/market/ticker-fields.ts';
import { SLOT, sampleTicker } from '../../../samples/tickers.ts';

const identity = { exchange: 'bybit', category: 'spot', symbol: 'BTCUSDT', slot: SLOT };

const VALUES = {
  price: 20_000.5,
  number: -1.5e-7,
  fraction: 0.0068,
  time: '2028-02-29T23:59:59.999Z',
  text: 'Zero Minus',
};
const everyField = Object.fromEntries(
  Object.entries(TICKER_FIELDS).map(([field, kind]) => [field, VALUES[kind]]),
);

describe('recognising a ticker without parsing it', () => {
  it('knows every field of the schema', () => {
    const ticker = { ...sampleTicker(), ...everyField };
    expect(tickerSchema.safeParse(ticker).success).toBe(true);
    expect(readPlainTicker(JSON.stringify(ticker))).toEqual(identity);
  });

  it('needs neither base nor quote', () => {
    const { base: _base, quote: _quote, ...ticker } = sampleTicker();
    expect(readPlainTicker(JSON.stringify(ticker))).toEqual(identity);
  });

  it.each([
    ['white space', ` ${JSON.stringify(sampleTicker())}`],
    ['an unknown field', JSON.stringify({ ...sampleTicker(), note: 1 })],
    ['a text that is not ASCII', JSON.stringify(sampleTicker({ symbol: '币安USDT' }))],
    ['an escape', JSON.stringify(sampleTicker({ base: 'A"B' }))],
    ['another order', JSON.stringify(Object.fromEntries(Object.entries(sampleTicker()).reverse()))],
  ])('leaves %s to the parser', (_, text) => {
    expect(readPlainTicker(text)).toBeUndefined();
  });

  it('recognises only what the schema accepts, whatever the values', () => {
    const value = fc.oneof(
      fc.double(),
      fc.constantFrom(0, -0, 1e39, 5e-324, 1.7e308, '5', '', null, VALUES.time, '2026-02-29T00:00:00.000Z'),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.string({ maxLength: 8 }),
      fc.string({ minLength: 99, maxLength: 102 }),
    );
    const field = fc.constantFrom(...Object.keys(sampleTicker()), ...Object.keys(TICKER_FIELDS), 'note');
    const given = fc.dictionary(field, value, { maxKeys: 3 });
    fc.assert(
      fc.property(given, (changes) => expectAccepted(JSON.stringify({ ...sampleTicker(), ...changes }))),
      { numRuns: 5_000 },
    );
  });

  it('recognises only what the schema accepts, however a text is damaged', () => {
    const text = JSON.stringify(sampleTicker());
    const tokens = [',', '"', '\\', '\n', '0', '.', 'e', '-', '}', '{', ':1', ',"basis":01', ',"basis":1.'];
    const more = [',"basis":[]', ',"last_price":-1', 'e999', 'e-999', '9'.repeat(400)];
    const damage = fc.record({
      at: fc.nat(text.length),
      length: fc.nat(6),
      by: fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom(...tokens, ...more)),
    });
    fc.assert(
      fc.property(damage, ({ at, length, by }) =>
        expectAccepted(text.slice(0, at) + by + text.slice(at + length)),
      ),
      { numRuns: 20_000 },
    );
  });
});

/** If a text is recognised, it is JSON that the schema accepts, on one line, and identifies the same ticker. */
function expectAccepted(text: string): void {
  const plain = readPlainTicker(text);
  if (plain === undefined) return;
  expect(text).not.toMatch(/[\n\r]/);
  expect(tickerSchema.parse(JSON.parse(text))).toMatchObject(plain);
}
