import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  marketsIn,
  pollsDueInHour,
  pollsDueInPart,
  samplingIntervalOf,
  samplingIntervalsOf,
  samplingIntervalsText,
  samplingIntervalsVariable,
} from '../../../../core/market/sampling.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

describe('the sampling interval', () => {
  it('is two minutes unless configured', () => {
    const intervals = samplingIntervalsVariable.parse(undefined);
    expect(samplingIntervalOf({ exchange: 'bybit', category: 'spot' }, intervals)).toBe(2 * MINUTE_MS);
  });

  it("is the category's own, else the default", () => {
    const intervals = samplingIntervalsVariable.parse('{"default":300000,"bybit:option":3600000}');
    expect(samplingIntervalOf({ exchange: 'bybit', category: 'option' }, intervals)).toBe(HOUR_MS);
    expect(samplingIntervalOf({ exchange: 'bybit', category: 'linear' }, intervals)).toBe(5 * MINUTE_MS);
  });

  it.each(['{"bybit":120000}', '{"bybit:futures":120000}', '{"bybit:spot":30}'])('rejects %s', (text) => {
    expect(samplingIntervalsVariable.safeParse(text).success).toBe(false);
  });

  it('is read again as it was written, whatever the markets', () => {
    const market = fc.tuple(
      fc.constantFrom('bybit', 'kraken', 'binance', 'gate'),
      fc.constantFrom('spot', 'linear', 'inverse', 'option'),
    );
    const intervals = fc.dictionary(
      fc.oneof(
        market.map((parts) => parts.join(':')),
        fc.constant('default'),
      ),
      fc.constantFrom(MINUTE_MS, 2 * MINUTE_MS, HOUR_MS),
    );
    fc.assert(
      fc.property(intervals, (given) => {
        expect(samplingIntervalsVariable.parse(samplingIntervalsText(given))).toEqual(given);
      }),
    );
  });

  it('of a hundred exchanges takes little of the 4 KB that Lambda allows', () => {
    const sources = Array.from({ length: 100 }, (_, n) => ({
      exchange: `exchange-${n}`,
      categories: ['linear', 'inverse', 'spot'] as const,
      samplingIntervalMs: 2 * MINUTE_MS,
    }));
    expect(samplingIntervalsText(samplingIntervalsOf(sources)).length).toBeLessThan(1_300);
  });

  it('is the shortest one of the sources that poll the market', () => {
    const source = (categories: ('linear' | 'option')[], minutes: number) => ({
      exchange: 'bybit',
      categories,
      samplingIntervalMs: minutes * MINUTE_MS,
    });
    const sources = [source(['linear'], 2), source(['linear', 'option'], 60)];
    const expected = { 'bybit:linear': 2 * MINUTE_MS, 'bybit:option': HOUR_MS };
    expect(samplingIntervalsOf(sources)).toEqual(expected);
    expect(samplingIntervalsOf(sources.toReversed())).toEqual(expected);
  });

  it('names the markets of the exchanges that are polled', () => {
    const intervals = { default: HOUR_MS, 'bybit:option': HOUR_MS, 'okx:spot': HOUR_MS };
    expect(marketsIn(intervals, ['bybit'])).toEqual([{ exchange: 'bybit', category: 'option' }]);
  });
});

describe('the polls due', () => {
  it('are one at each multiple of the interval', () => {
    expect(pollsDueInHour(HOUR_MS, 2 * MINUTE_MS)).toBe(30);
    expect([0, 1].map((hour) => pollsDueInHour(hour * HOUR_MS, 7 * MINUTE_MS))).toEqual([9, 9]);
    expect([0, 1].map((hour) => pollsDueInHour(hour * HOUR_MS, 2 * HOUR_MS))).toEqual([1, 0]);
  });

  it('are counted in a part of the hour without its end', () => {
    expect(pollsDueInPart(30, MINUTE_MS, 3 * MINUTE_MS)).toBe(1);
    expect(pollsDueInPart(30, 2 * MINUTE_MS, 4 * MINUTE_MS)).toBe(1);
    expect(pollsDueInPart(30, MINUTE_MS, 2 * MINUTE_MS)).toBe(0);
  });

  it('of the parts of an hour add up to those of the hour', () => {
    const parts = fc.tuple(fc.nat(3_600), fc.nat(HOUR_MS));
    fc.assert(
      fc.property(parts, ([pollsDue, cutMs]) => {
        const [head, tail] = [pollsDueInPart(pollsDue, 0, cutMs), pollsDueInPart(pollsDue, cutMs, HOUR_MS)];
        expect(head + tail).toBe(pollsDue);
      }),
    );
  });
});
