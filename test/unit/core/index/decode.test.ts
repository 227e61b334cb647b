import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue } from '../../../../core/index/decode.ts';
import type { Ticker } from '../../../../core/market/ticker.ts';
import { SLOT, SLOT_MS, sampleTicker } from '../../../samples/tickers.ts';

const base64 = (value: string | Buffer) => Buffer.from(value as string).toString('base64');
const decode = (value: string | Buffer) => decodeValue(base64(value));
const without = (field: keyof Ticker) => {
  const { [field]: _, ...rest } = sampleTicker();
  return JSON.stringify(rest);
};

describe('decoding a record’s value', () => {
  it('passes on a ticker’s text unchanged, with its id and slot', () => {
    const text = JSON.stringify(sampleTicker());
    expect(decode(text)).toEqual({
      id: `bybit:spot:BTCUSDT:${SLOT_MS}`,
      slot: SLOT,
      source: text,
    });
  });

  it('keeps numbers that JSON.stringify would write differently', () => {
    const text = JSON.stringify(sampleTicker()).replace('20533.13', '20533.130');
    expect(decode(text)).toMatchObject({ source: text });
  });

  it('keeps text that is not ASCII', () => {
    const text = JSON.stringify({ ...sampleTicker({ symbol: '币安USDT' }), note: 'žluťoučký' });
    expect(decode(text)).toMatchObject({ id: `bybit:spot:币安USDT:${SLOT_MS}`, source: text });
  });

  it('joins a ticker written on several lines', () => {
    const decoded = decode(JSON.stringify(sampleTicker(), null, 2));
    expect(decoded).not.toHaveProperty('reason');
    const { source } = decoded as { source: string };
    expect(source).not.toMatch(/[\n\r]/);
    expect(JSON.parse(source)).toEqual(sampleTicker());
  });

  it('keeps an escaped line break inside a text', () => {
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
    ['nothing', '', /^not JSON: /],
    ['half a ticker', JSON.stringify(sampleTicker()).slice(0, 40), /^not JSON: /],
    ['two tickers', `${JSON.stringify(sampleTicker())}\n${JSON.stringify(sampleTicker())}`, /^not JSON: /],
    ['a list', '[]', /^not a ticker: .*expected object/],
    ['null', 'null', /^not a ticker: .*expected object/],
    ['a number', '5', /^not a ticker: .*expected object/],
    ['no version', without('v'), /^v: .*expected 1$/],
    ['another version', JSON.stringify({ ...sampleTicker(), v: 2 }), /^v: .*expected 1$/],
    ['no exchange', without('exchange'), /^exchange: /],
    [
      'no category',
      without('category'),
      /^category: .*expected one of "linear"\|"inverse"\|"spot"\|"option"$/,
    ],
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
