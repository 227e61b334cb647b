import { describe, expect, it } from 'vitest';
import type { Category } from '../../../../core/market/series.ts';
import { quoteTurnover, type Traded, usdRates, usdTurnovers } from '../../../../core/market/turnover.ts';

const traded = (
  pair: string,
  last_price: number,
  turnover_24h?: number,
  more: Partial<Traded> & { category?: Category } = {},
): Traded => {
  const [base = '', quote = ''] = pair.split('/');
  return {
    exchange: 'x',
    category: 'spot',
    symbol: pair.replace('/', ''),
    base,
    quote,
    last_price,
    ...(turnover_24h === undefined ? {} : { turnover_24h }),
    ...more,
  };
};
const rounded = (rates: Map<string, number>) =>
  Object.fromEntries([...rates].map(([currency, rate]) => [currency, Number(rate.toPrecision(6))]));

describe('the turnover of a series', () => {
  it('is in its quote currency, also for an inverse contract, which counts coins', () => {
    expect(quoteTurnover(traded('BTC/USDT', 50_000, 7))).toBe(7);
    expect(quoteTurnover(traded('BTC/USD', 50_000, 7, { category: 'inverse' }))).toBe(350_000);
  });

  it('is the volume at the last price if only that is known', () => {
    expect(quoteTurnover(traded('BTC/USD', 50_000, undefined, { volume_24h: 2 }))).toBe(100_000);
    // The volume of an inverse contract counts contracts.
    expect(
      quoteTurnover(traded('BTC/USD', 50_000, undefined, { volume_24h: 2, category: 'inverse' })),
    ).toBeUndefined();
    expect(quoteTurnover(traded('BTC/USD', 50_000))).toBeUndefined();
  });
});

describe('the dollar rates', () => {
  it('follow pairs in either direction, over several steps', () => {
    const ticks = [traded('USDT/KRW', 1_400, 1), traded('BTC/USDT', 50_000, 1), traded('BTC/IDR', 8e8, 1)];
    expect(rounded(usdRates(ticks))).toEqual({
      USD: 1,
      USDT: 1,
      USDC: 1,
      KRW: Number((1 / 1_400).toPrecision(6)),
      BTC: 50_000,
      IDR: 0.0000625,
    });
  });

  it('take the pair with the largest turnover, measured in dollars', () => {
    const ticks = [
      traded('USDT/JPY', 150, 1_000_000),
      traded('USDC/JPY', 200, 900_000),
      traded('BTC/USDT', 50_000, 10),
      traded('BTC/USDC', 1, 5),
    ];
    expect(rounded(usdRates(ticks))).toMatchObject({ JPY: 0.00666667, BTC: 50_000 });
  });

  it('are missing where no path leads, and never come from an option', () => {
    const option = traded('ETH/USDT', 3, 9, { category: 'option' });
    expect(Object.keys(rounded(usdRates([traded('AAA/BBB', 2, 1), option])))).toEqual([
      'USD',
      'USDT',
      'USDC',
    ]);
  });
});

describe('the turnovers in dollars', () => {
  it('do not let a weak quote currency or coins outrank a large market', () => {
    const ticks = [
      traded('BTC/IDR', 8e8, 9e11),
      traded('BTC/USDT', 50_000, 2e9),
      traded('BTC/USD', 50_000, 50_000, { category: 'inverse' }),
      traded('AAA/XYZ', 3, 1e15),
      traded('BTC/USDT', 50_000),
    ].map((tick, index) => ({ ...tick, exchange: `x${index}` }));
    const ranked = [...usdTurnovers(ticks)].sort(([, a], [, b]) => b - a);
    expect(ranked.map(([series]) => series)).toEqual([
      'x2:inverse:BTCUSD',
      'x1:spot:BTCUSDT',
      'x0:spot:BTCIDR',
    ]);
    expect(usdTurnovers(ticks).get('x0:spot:BTCIDR')).toBeCloseTo(56_250_000, 6);
  });
});
