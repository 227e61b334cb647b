import { describe, expect, it } from 'vitest';
import {
  type Trade,
  tradeOfCandle,
  tradeOfTick,
  usdRates,
  usdTurnovers,
} from '../../../../core/market/turnover.ts';

const trade = (pair: string, price: number, turnover?: number, more: Partial<Trade> = {}): Trade => {
  const [base = '', quote = ''] = pair.split('/');
  return {
    ...{ exchange: 'x', category: 'spot', symbol: pair.replace('/', ''), base, quote, price },
    ...(turnover === undefined ? {} : { turnover }),
    ...more,
  };
};
const rounded = (rates: Map<string, number>) =>
  Object.fromEntries([...rates].map(([currency, rate]) => [currency, Number(rate.toPrecision(6))]));

describe('the turnover of a series', () => {
  const tick = { exchange: 'x', category: 'spot', symbol: 'BTCUSD', last_price: 50_000 } as const;

  it('is in its quote currency, also for an inverse contract, whose ticks count coins', () => {
    expect(tradeOfTick({ ...tick, turnover_24h: 7, volume_24h: 9 }).turnover).toBe(7);
    expect(tradeOfTick({ ...tick, category: 'inverse', turnover_24h: 7 }).turnover).toBe(350_000);
    const candle = { ...tick, category: 'inverse', close: 50_000, turnover: 350_000, volume: 7 } as const;
    expect(tradeOfCandle(candle).turnover).toBe(350_000);
  });

  it('is the volume at the last price if only that is known', () => {
    expect(tradeOfTick({ ...tick, volume_24h: 2 }).turnover).toBe(100_000);
    expect(tradeOfCandle({ ...tick, close: 50_000, volume: 2 }).turnover).toBe(100_000);
    // The volume in ticks of an inverse contract counts contracts.
    expect(tradeOfTick({ ...tick, category: 'inverse', volume_24h: 2 })).not.toHaveProperty('turnover');
    expect(tradeOfTick(tick)).not.toHaveProperty('turnover');
  });
});

describe('the dollar rates', () => {
  it('follow pairs in either direction, over several steps', () => {
    const ticks = [trade('USDT/KRW', 1_400, 1), trade('BTC/USDT', 50_000, 1), trade('BTC/IDR', 8e8, 1)];
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
      trade('USDT/JPY', 150, 1_000_000),
      trade('USDC/JPY', 200, 900_000),
      trade('BTC/USDT', 50_000, 10),
      trade('BTC/USDC', 1, 5),
    ];
    expect(rounded(usdRates(ticks))).toMatchObject({ JPY: 0.00666667, BTC: 50_000 });
  });

  it('are missing where no path leads, and never come from an option', () => {
    const option = trade('ETH/USDT', 3, 9, { category: 'option' });
    expect(Object.keys(rounded(usdRates([trade('AAA/BBB', 2, 1), option])))).toEqual(['USD', 'USDT', 'USDC']);
  });
});

describe('the turnovers in dollars', () => {
  it('do not let a weak quote currency outrank a large market', () => {
    const trades = [
      trade('BTC/IDR', 8e8, 9e11),
      trade('BTC/USDT', 50_000, 2e9),
      trade('AAA/XYZ', 3, 1e15),
      trade('BTC/USD', 50_000),
    ];
    const turnovers = usdTurnovers([trades]);
    expect([...turnovers.keys()]).toEqual(['x:spot:BTCIDR', 'x:spot:BTCUSDT']);
    expect(turnovers.get('x:spot:BTCIDR')).toBeCloseTo(56_250_000, 6);
    expect(turnovers.get('x:spot:BTCUSDT')).toBe(2e9);
  });

  it('of several hours are those of each at its own rate', () => {
    const hour = (won: number) => [trade('USDT/KRW', won, 0), trade('BTC/KRW', 50_000 * won, 1_400_000)];
    const turnovers = usdTurnovers([hour(1_400), hour(1_000)]);
    expect(turnovers.get('x:spot:BTCKRW')).toBeCloseTo(1_000 + 1_400, 9);
  });
});
