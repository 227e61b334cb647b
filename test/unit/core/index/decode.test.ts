import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue } from '../../../../core/index/decode.ts';
import { CATEGORIES } from '../../../../core/market/series.ts';
import { EXCHANGE_PATTERN, type Ticker } from '../../../../core/market/ticker.ts';
import { DAY_MS } from '../../../../core/market/time.ts';
import { nestedLists } from '../../../samples/nested-lists.ts';
import { SLOT, SLOT_MS, sampleTicker } from '../../../samples/tickers.ts';

const base64 = (value: string | Buffer) => Buffer.from(value as string).toString('base64');
const NOW_MS = SLOT_MS + 1_000;
const decode = (value: string | Buffer) => decodeValue(base64(value), NOW_MS);
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
    const text = JSON.stringify(sampleTicker({ symbol: '币安USDT', base: 'žluťoučký' }));
    expect(decode(text)).toMatchObject({ id: `bybit:spot:币安USDT:${SLOT_MS}`, source: text });
  });

  it('joins a ticker written on several lines', () => {
    const decoded = decode(JSON.stringify(sampleTicker(), null, 2));
    expect(decoded).not.toHaveProperty('reason');
    const { source } = decoded as { source: string };
    expect(source).not.toMatch(/[\n\r]/);
    expect(JSON.parse(source)).toEqual(sampleTicker());
  });

  it('adds the original of a ticker with unknown fields, for which the index has no columns', () => {
    const text = JSON.stringify({ ...sampleTicker(), note: ['a\nb', { much: 1.5 }] });
    const { source } = decode(` ${text}\n`) as { source: string };
    const { original, ...rest } = JSON.parse(source);
    expect(rest).toEqual(JSON.parse(text));
    expect(original.trim()).toBe(text);
  });

  it.each(['!!!!', 'not base64 at all', 'e30=\u0000'])('refuses %j, which is not base64', (value) => {
    expect(decodeValue(value, NOW_MS)).toEqual({ reason: 'the value is not base64' });
  });

  it.each([null, undefined])('refuses %j', (value) => {
    expect(decodeValue(value, NOW_MS)).toEqual({ reason: 'the record has no value' });
  });

  it.each<[string, string | Buffer, RegExp]>([
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), /^the value is not UTF-8$/],
    ['nothing', '', /^not JSON: /],
    ['half a ticker', JSON.stringify(sampleTicker()).slice(0, 40), /^not JSON: /],
    ['two tickers', `${JSON.stringify(sampleTicker())}\n${JSON.stringify(sampleTicker())}`, /^not JSON: /],
    ['a list', '[]', /^not a ticker: .*expected object/],
    ['null', 'null', /^not a ticker: .*expected object/],
    ['a number', '5', /^not a ticker: .*expected object/],
    ['no version', without('v'), /^v: .*expected 1, got nothing$/],
    ['another version', JSON.stringify({ ...sampleTicker(), v: 2 }), /^v: .*expected 1, got 2$/],
    ['no exchange', without('exchange'), /^exchange: /],
    [
      'no category',
      without('category'),
      /^category: .*expected one of "linear"\|"inverse"\|"spot"\|"option", got nothing$/,
    ],
    ['no symbol', without('symbol'), /^symbol: /],
    ['a symbol with a line break', JSON.stringify(sampleTicker({ symbol: 'A\nB' })), /^symbol: /],
    ['a base with a line break', JSON.stringify(sampleTicker({ base: 'A\nB' })), /^base: /],
    ['a quote with markup', JSON.stringify(sampleTicker({ quote: '<b>' })), /^quote: /],
    [
      'a command for a terminal in a word',
      JSON.stringify(sampleTicker({ last_tick_direction: '\u009b2J' })),
      /^last_tick_direction: /,
    ],
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

  const withNote = (note: string, lineBreak: string) =>
    `${JSON.stringify(sampleTicker()).slice(0, -1)},${lineBreak}"note":${note}}`;

  it.each([1_000, 50_000, 500_000])('survives %i levels of nesting', (depth) => {
    const deep = nestedLists(depth);
    const poison = [deep, `{"v":${deep}}`, `{"v":1,"exchange":${deep}}`, `${'{"a":'.repeat(depth)}1`];
    for (const text of poison) expect(decode(text)).toEqual({ reason: expect.any(String) });
    // A newer version may have added any field, and OpenSearch decides about it.
    const { source } = decode(withNote(deep, '\n')) as { source: string };
    expect(source.startsWith(`${withNote(deep, ' ').slice(0, -1)},"original":"{`)).toBe(true);
  });

  it('names the value that is wrong, shortened', () => {
    expect(decode(`{"v":${JSON.stringify('x'.repeat(9_000))}}`)).toEqual({
      reason: expect.stringMatching(/^v: .*expected 1, got "x{70,80}…$/),
    });
    expect(decode(`{"v":${nestedLists(50_000)}}`)).toEqual({
      reason: expect.stringMatching(/^v: .*expected 1, got (\[{80}…|a value that JSON cannot show)$/),
    });
  });

  it('is either a document on one line or a reason of at most 500 characters, for any value', () => {
    const depth = fc.constantFrom(1, 10, 6_000, 50_000);
    const value = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue({ maxDepth: 20 }).map((note) => withNote(JSON.stringify(note), '\r\n')),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      depth.map((levels) => `{"v":${nestedLists(levels)}}`),
      depth.map((levels) => withNote(nestedLists(levels), '\n')),
      fc.tuple(depth, fc.string()).map(([levels, text]) => '{"a":'.repeat(levels) + text),
    );
    const inBase64 = fc.oneof(value.map(base64), fc.string(), fc.constant(null));
    fc.assert(
      fc.property(inBase64, (given) => {
        const decoded = decodeValue(given, NOW_MS);
        if ('source' in decoded) {
          expect(decoded.source).not.toMatch(/[\n\r]/);
          return;
        }
        expect(decoded.reason).not.toBe('');
        expect(decoded.reason.length).toBeLessThanOrEqual(500);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the index side’s limits', () => {
  const slotAt = (slotMs: number, nowMs = NOW_MS) => {
    const slot = new Date(slotMs).toISOString();
    return decodeValue(base64(JSON.stringify(sampleTicker({ slot }))), nowMs);
  };

  it('accept slots from 2009 to one day ahead', () => {
    const earliestMs = Date.UTC(2009, 0, 1);
    for (const slotMs of [earliestMs, Date.UTC(2018, 6, 1), NOW_MS, NOW_MS + DAY_MS]) {
      expect(slotAt(slotMs)).toMatchObject({ slot: new Date(slotMs).toISOString() });
    }
    expect(slotAt(earliestMs - 1)).toEqual({
      reason:
        'slot: expected a time from 2009-01-01T00:00:00.000Z to 2026-03-02T12:00:01.000Z, got 2008-12-31T23:59:59.999Z',
    });
    expect(slotAt(NOW_MS + DAY_MS + 1)).toHaveProperty('reason');
  });

  it('follow the clock', () => {
    expect(slotAt(Date.UTC(2018, 6, 1), Date.UTC(2018, 5, 1))).toHaveProperty('reason');
    expect(slotAt(Date.UTC(2018, 6, 1), Date.UTC(2018, 6, 1))).toHaveProperty('id');
  });

  it('hold for tickers in any spelling', () => {
    const far = sampleTicker({ slot: '9999-12-31T23:59:59.999Z' });
    expect(decode(JSON.stringify(far))).toHaveProperty('reason');
    expect(decode(JSON.stringify(far, null, 1))).toHaveProperty('reason');
  });

  it('keep every id within OpenSearch’s 512 bytes', () => {
    // fast-check's own characters of all Unicode take seconds to list.
    const any = fc.integer({ min: 0, max: 0x10_ffff }).map((point) => String.fromCodePoint(point));
    const named = fc.constantFrom('a', 'Z', '0', '-', '/', '_', ':', '.', 'Ñ', '币', '🐂');
    const name = fc.oneof(
      fc.string({ unit: named, minLength: 1, maxLength: 100 }),
      fc.stringMatching(EXCHANGE_PATTERN),
      fc.string({ unit: any }),
    );
    const widest = fc.constantFrom('𐀀', '币', 'a', '(').map((character) => character.repeat(100));
    const given = fc.record({
      exchange: fc.oneof(name, fc.constant('x'.repeat(40)), widest),
      category: fc.constantFrom(...CATEGORIES),
      symbol: fc.oneof(name, widest),
    });
    let documents = 0;
    fc.assert(
      fc.property(given, (series) => {
        const decoded = decode(JSON.stringify(sampleTicker(series)));
        if (!('id' in decoded)) return;
        documents += 1;
        expect(Buffer.byteLength(decoded.id)).toBeLessThanOrEqual(512);
      }),
    );
    expect(documents).toBeGreaterThan(10);
  });
});
