import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ticker } from '../../../../lambdas/domain/ticker.ts';
import { decodeEvent } from '../../../../lambdas/index/decode.ts';
import { mskEvent, mskRecord } from '../msk-events.ts';
import { SLOT_MS, sampleTicker } from '../sample-tickers.ts';

const decode = (...values: Parameters<typeof mskRecord>[0][]) =>
  decodeEvent(mskEvent(values.map((value, offset) => mskRecord(value, { offset }))));
const reasonOf = (value: Parameters<typeof mskRecord>[0]) => {
  const { documents, poison } = decode(value);
  expect(documents).toEqual([]);
  return poison[0]?.reason;
};
const without = (field: keyof Ticker) => {
  const { [field]: _, ...rest } = sampleTicker();
  return JSON.stringify(rest);
};

describe('decoding an event', () => {
  it('passes a ticker’s bytes on as they are, with its id and its index', () => {
    const text = JSON.stringify(sampleTicker());
    const record = mskRecord(text, { partition: 3, offset: 42 });
    expect(decodeEvent(mskEvent([record]))).toEqual({
      poison: [],
      documents: [
        {
          topic: 'tickers',
          partition: 3,
          offset: 42,
          id: `bybit:spot:BTCUSDT:${SLOT_MS}`,
          index: 'tickers-2026.03',
          source: text,
          value: record.value,
          producedAtMs: 1772366400999,
        },
      ],
    });
  });

  it('keeps numbers that JSON of ours would write differently', () => {
    const text = JSON.stringify(sampleTicker()).replace('20533.13', '20533.130');
    expect(decode(text).documents[0]?.source).toBe(text);
  });

  it('keeps the order of every partition', () => {
    const records = [0, 1, 0, 1, 0].map((partition, offset) =>
      mskRecord(sampleTicker(), { partition, offset }),
    );
    const { documents } = decodeEvent(mskEvent(records));
    expect(documents.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0],
      [0, 2],
      [0, 4],
      [1, 1],
      [1, 3],
    ]);
  });

  it('makes one line of a ticker that was written on several', () => {
    const [document] = decode(JSON.stringify(sampleTicker(), null, 2)).documents;
    expect(document?.source).not.toMatch(/[\n\r]/);
    expect(JSON.parse(document?.source as string)).toEqual(sampleTicker());
  });

  it('leaves an escaped line break inside a text alone', () => {
    const text = JSON.stringify({ ...sampleTicker(), note: 'a\nb' });
    expect(decode(text).documents[0]?.source).toBe(text);
  });

  it('lets the others go on beside a poisonous record, and says where that lies', () => {
    const { documents, poison } = decode(
      sampleTicker({ symbol: 'A' }),
      'oops',
      sampleTicker({ symbol: 'B' }),
    );
    expect(documents.map(({ offset }) => offset)).toEqual([0, 2]);
    expect(poison).toEqual([
      {
        topic: 'tickers',
        partition: 0,
        offset: 1,
        producedAtMs: 1772366400999,
        value: Buffer.from('oops').toString('base64'),
        reason: expect.stringMatching(/^the value is not JSON: /),
      },
    ]);
  });

  it('takes an event without records', () => {
    expect(decodeEvent(mskEvent([]))).toEqual({ documents: [], poison: [] });
  });

  it.each(['!!!!', 'not base64 at all', 'e30=\u0000'])(
    'refuses the value %j, which is not base64',
    (value) => {
      const { poison } = decodeEvent(mskEvent([mskRecord('', { value })]));
      expect(poison).toMatchObject([{ value, reason: 'the value is not base64' }]);
    },
  );

  it('refuses a record without a value', () => {
    expect(reasonOf(null)).toBe('the record has no value');
    const { value: _, ...noValue } = mskRecord('');
    expect(decodeEvent(mskEvent([noValue as ReturnType<typeof mskRecord>])).poison).toMatchObject([
      { value: null, reason: 'the record has no value' },
    ]);
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
    expect(reasonOf(value)).toMatch(reason);
  });

  it('sorts every record into one of the two, whatever it holds', () => {
    const value = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.record({ symbol: fc.string(), last_price: fc.double() }).map((given) => sampleTicker(given)),
    );
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const { documents, poison } = decode(...values);
        const offsets = [...documents, ...poison].map(({ offset }) => offset).sort((a, b) => a - b);
        expect(offsets).toEqual(values.map((_, offset) => offset));
        for (const { source } of documents) expect(source).not.toMatch(/[\n\r]/);
      }),
    );
  });
});
