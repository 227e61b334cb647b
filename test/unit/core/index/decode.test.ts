import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLine, decodeValue, whyNoTicker } from '../../../../core/index/decode.ts';
import type { Ticker } from '../../../../core/market/ticker.ts';
import { SLOT_MS, sampleTicker } from '../../../samples/tickers.ts';

const base64 = (value: string | Buffer) => Buffer.from(value as string).toString('base64');
const decode = (value: string | Buffer) => decodeValue(base64(value));
const without = (field: keyof Ticker) => {
  const { [field]: _, ...rest } = sampleTicker();
  return JSON.stringify(rest);
};
/** The same ticker as a text that no short cut knows. */
const written = (ticker: object) => JSON.stringify(ticker).replace('{', '{ ');

describe('decoding a record’s value', () => {
  it('passes a ticker’s text on as it is, with its id and its index', () => {
    const text = JSON.stringify(sampleTicker());
    expect(decode(text)).toEqual({
      id: `bybit:spot:BTCUSDT:${SLOT_MS}`,
      index: 'tickers-2026.03',
      source: text,
    });
  });

  it('keeps numbers that JSON of ours would write differently', () => {
    const text = JSON.stringify(sampleTicker()).replace('20533.13', '20533.130');
    expect(decode(text)).toMatchObject({ source: text });
  });

  it('keeps what is not ASCII', () => {
    const text = JSON.stringify({ ...sampleTicker({ symbol: '币安USDT' }), note: 'žluťoučký' });
    expect(decode(text)).toMatchObject({ id: `bybit:spot:币安USDT:${SLOT_MS}`, source: text });
  });

  it('makes one line of a ticker that was written on several', () => {
    const decoded = decode(JSON.stringify(sampleTicker(), null, 2));
    expect(decoded).not.toHaveProperty('reason');
    const { source } = decoded as { source: string };
    expect(source).not.toMatch(/[\n\r]/);
    expect(JSON.parse(source)).toEqual(sampleTicker());
  });

  it('leaves an escaped line break inside a text alone', () => {
    const text = JSON.stringify({ ...sampleTicker(), note: 'a\nb' });
    expect(decode(text)).toMatchObject({ source: text });
  });

  it.each(['!!!!', 'not base64 at all', 'e30=\u0000'])('refuses %j, which is not base64', (value) => {
    expect(decodeValue(value)).toEqual({ reason: 'the value is not base64' });
  });

  it.each([null, undefined])('refuses %j', (value) => {
    expect(decodeValue(value)).toEqual({ reason: 'the record has no value' });
  });

  it.each<[string, string | Buffer, RegExp]>([
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), /^the value is not UTF-8$/],
    ['nothing', '', /^the value is not JSON: /],
    ['half a ticker', JSON.stringify(sampleTicker()).slice(0, 40), /^the value is not JSON: /],
    [
      'two tickers',
      `${JSON.stringify(sampleTicker())}\n${JSON.stringify(sampleTicker())}`,
      /^the value is not JSON: /,
    ],
    ['a list', '[]', /^the value is no JSON object$/],
    ['null', 'null', /^the value is no JSON object$/],
    ['a number', '5', /^the value is no JSON object$/],
    ['no version', without('v'), /^v: expected 1, got undefined$/],
    ['another version', JSON.stringify({ ...sampleTicker(), v: 2 }), /^v: expected 1, got 2$/],
    ['no exchange', without('exchange'), /^exchange: /],
    ['no category', without('category'), /^category: expected one of linear, inverse, spot, option$/],
    ['no symbol', without('symbol'), /^symbol: /],
    ['a symbol with a line break', JSON.stringify(sampleTicker({ symbol: 'A\nB' })), /^symbol: /],
    ['no slot', without('slot'), /^slot: /],
    ['a slot in another spelling', JSON.stringify(sampleTicker({ slot: '2026-03-01' })), /^slot: /],
    [
      'a slot of the 13th month',
      JSON.stringify(sampleTicker({ slot: '2026-13-01T00:00:00.000Z' })),
      /^slot: /,
    ],
    ['no timestamp', without('timestamp'), /^timestamp: /],
    ['no price', without('last_price'), /^last_price: /],
    ['a price of 0', JSON.stringify(sampleTicker({ last_price: 0 })), /^last_price: /],
    ['a price in text', JSON.stringify({ ...sampleTicker(), last_price: '5' }), /^last_price: /],
  ])('refuses %s', (_, value, reason) => {
    expect(decode(value)).toEqual({ reason: expect.stringMatching(reason) });
  });

  it('takes the same for a ticker, however it is written', () => {
    const field = fc.oneof(fc.string({ maxLength: 8 }), fc.double(), fc.boolean(), fc.constant(null));
    const ticker = fc
      .record(
        {
          symbol: fc.oneof(fc.string({ minLength: 1, maxLength: 5 }), fc.string({ unit: 'binary' })),
          exchange: fc.oneof(fc.constant('okx'), fc.string({ maxLength: 3 })),
          slot: fc.oneof(
            fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
            fc.constant('2026-02-31T25:00:00.000Z'),
          ),
          last_price: fc.oneof(fc.double(), fc.constantFrom(0, -1, '5')),
          bid_price: field,
          note: field,
        },
        { requiredKeys: [] },
      )
      .map((given) => ({ ...sampleTicker(), ...given }));
    fc.assert(
      fc.property(ticker, (each) => {
        const [plain, other] = [decodeLine(JSON.stringify(each)), decodeLine(written(each))];
        if ('reason' in plain) expect(plain).toEqual(other);
        else expect({ ...other, source: '' }).toEqual({ ...plain, source: '' });
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes nothing that is no JSON or no ticker, whatever a text was damaged with', () => {
    const text = JSON.stringify(sampleTicker());
    const damage = fc.record({
      at: fc.nat(text.length),
      length: fc.nat(6),
      by: fc.oneof(
        fc.string({ maxLength: 4 }),
        fc.constantFrom(
          ',',
          '"',
          '\\',
          '\n',
          '0',
          '.',
          'e',
          '-',
          '}',
          '{',
          ':1',
          ',"a":01',
          ',"a":1.',
          ',"a":[]',
        ),
      ),
    });
    fc.assert(
      fc.property(damage, ({ at, length, by }) => {
        const damaged = text.slice(0, at) + by + text.slice(at + length);
        const decoded = decodeLine(damaged);
        if ('reason' in decoded) return;
        expect(whyNoTicker(JSON.parse(damaged))).toBeUndefined();
        expect(decoded.source).not.toMatch(/[\n\r]/);
      }),
      { numRuns: 20_000 },
    );
  });

  it('is either a document on one line or a reason, for any value', () => {
    const value = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(value, (given) => {
        const decoded = decode(given);
        if ('reason' in decoded) expect(decoded.reason).not.toBe('');
        else expect(decoded.source).not.toMatch(/[\n\r]/);
      }),
    );
  });
});
