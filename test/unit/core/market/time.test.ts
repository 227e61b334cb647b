import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../../core/market/invalid-input.ts';
import { HOUR_MS, parseDuration, parseTime } from '../../../../core/market/time.ts';
import { iso } from '../insights/sample-candles.ts';

describe('a duration', () => {
  it.each([
    ['30m', 30 / 60],
    ['1h', 1],
    ['90d', 90 * 24],
    ['2w', 14 * 24],
    ['1y', 365 * 24],
    ['2y', 730 * 24],
  ])('%s is %d hours', (text, hours) => {
    expect(parseDuration(text) / HOUR_MS).toBe(hours);
  });

  it.each(['', '1', 'd', '1.5d', '-1d', '0d', '1 d', '1month', '999999999y'])('is not "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(InvalidInputError);
  });
});

describe('a time', () => {
  it.each([
    ['2018-07-01', '2018-07-01T00:00:00.000Z'],
    ['2018-07-01T06:30', '2018-07-01T06:30:00.000Z'],
    ['2018-07-01T06:30Z', '2018-07-01T06:30:00.000Z'],
    ['2018-07-01T06:30:15.250Z', '2018-07-01T06:30:15.250Z'],
  ])('%s is UTC', (text, expected) => {
    expect(iso(parseTime(text))).toBe(expected);
  });

  it.each([
    '',
    'yesterday',
    '2018-02-30',
    '2018-06-31',
    '2019-02-29T12:00Z',
    '2018-13-01',
    '2018-07-01T24:00',
    '2018-07-01T25:00',
    '2018-07-01T06:30+02:00',
  ])('is not "%s"', (text) => {
    expect(() => parseTime(text)).toThrow(InvalidInputError);
  });
});
