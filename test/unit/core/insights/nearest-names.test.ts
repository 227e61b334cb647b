import { describe, expect, it } from 'vitest';
import { nearestNames } from '../../../../core/insights/nearest-names.ts';

const NAMES = ['BTCUSDT', 'BTCUSD', 'ETHUSDT', 'BCHUSDT', 'XRPUSDT', 'BTC', 'SOL'];

describe('the nearest names', () => {
  it.each([
    ['a letter is missing', 'BTCUSD', 'BTCUSD'],
    ['letters are swapped', 'BTCSUDT', 'BTCUSDT'],
    ['a letter is too many', 'XRPUSDTT', 'XRPUSDT'],
    ['the case differs', 'ethusd', 'ETHUSDT'],
  ])('come first for %s', (_, typed, meant) => {
    expect(nearestNames(typed, NAMES)[0]).toBe(meant);
  });

  it('contain the name, or are contained in it', () => {
    expect(nearestNames('ETHU', NAMES)[0]).toBe('ETHUSDT');
    expect(nearestNames('SOLUSDT', NAMES)[0]).toBe('SOL');
  });

  it('are empty if nothing is near', () => {
    expect(nearestNames('QQQQ', NAMES)).toEqual([]);
  });

  it('are limited to the requested number', () => {
    expect(nearestNames('BTCUSDX', NAMES, 2)).toHaveLength(2);
  });
});
