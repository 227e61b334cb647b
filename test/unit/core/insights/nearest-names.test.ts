import { describe, expect, it } from 'vitest';
import { nearestNames } from '../../../../core/insights/nearest-names.ts';

const NAMES = ['BTCUSDT', 'BTCUSD', 'ETHUSDT', 'BCHUSDT', 'XRPUSDT', 'BTC', 'SOL'];

describe('the nearest names', () => {
  it.each([
    ['a letter is missing', 'BTCUSD', 'BTCUSD'],
    ['letters are swapped', 'BTCSUDT', 'BTCUSDT'],
    ['a letter is too many', 'XRPUSDTT', 'XRPUSDT'],
    ['the case differs', 'ethusd', 'ETHUSDT'],
  ])('come first where %s', (_, typed, meant) => {
    expect(nearestNames(typed, NAMES)[0]).toBe(meant);
  });

  it('are those that hold the name, or that it holds', () => {
    expect(nearestNames('ETHU', NAMES)[0]).toBe('ETHUSDT');
    expect(nearestNames('SOLUSDT', NAMES)[0]).toBe('SOL');
  });

  it('are none where nothing is near', () => {
    expect(nearestNames('QQQQ', NAMES)).toEqual([]);
  });

  it('are as many as are asked for', () => {
    expect(nearestNames('BTCUSDX', NAMES, 2)).toHaveLength(2);
  });
});
