import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { candlePath } from '../../../../core/market/price-path.ts';
import { readHistory } from '../../../../local/history-files/read-history.ts';
import { ReplayMarket, type ReplayRow } from '../../../../local/market-replay/replay-market.ts';
import { DAILY_HISTORY, HOURLY_HISTORY } from './bundled-history.ts';

const HOUR = 3_600_000;
const minutes = (count: number): number => count * 60_000;
const at = (iso: string): number => Date.parse(iso);
const iso = (timeMs: number | undefined): string | undefined =>
  timeMs === undefined ? undefined : new Date(timeMs).toISOString();

function candle(startMs: number, prices: Partial<ReplayRow> = {}): ReplayRow {
  return { startMs, symbol: 'BTCUSD', open: 10, high: 14, low: 9, close: 12, volume: 3, ...prices };
}

function slotsOf(market: ReplayMarket, startMs: number): number[] {
  const slots: number[] = [];
  for (let slot = market.firstSlot(startMs); slot !== undefined; slot = market.nextSlot(slot))
    slots.push(slot);
  return slots;
}

describe('the bundled hourly history', () => {
  let rows: ReplayRow[];
  let market: ReplayMarket;
  beforeAll(async () => {
    rows = await readHistory(HOURLY_HISTORY);
    market = new ReplayMarket(rows);
  });

  it('has the rows that data/README.md describes', async () => {
    expect(rows).toHaveLength(19_847);
    expect(market.symbols).toEqual(['ADAUSD', 'BTCUSD', 'ETHUSD', 'XRPUSD']);
    expect(rows.filter(({ symbol }) => symbol === 'ADAUSD')).toHaveLength(5001 - 157);
    expect(await readHistory(DAILY_HISTORY)).toHaveLength(5801);
  });

  it('is reproduced exactly by the four ticks of each hour', () => {
    const pricesByHour = new Map<string, number[]>();
    for (const slot of slotsOf(market, 0)) {
      for (const { symbol, lastPrice } of market.tickersAt(slot)) {
        const key = `${symbol} ${Math.floor(slot / HOUR) * HOUR}`;
        const prices = pricesByHour.get(key) ?? [];
        prices.push(Number(lastPrice));
        pricesByHour.set(key, prices);
      }
    }
    // As text, which is compared a hundred times as fast.
    const rebuilt = [...pricesByHour].map(([key, prices]) =>
      [key, prices.length, prices[0], Math.max(...prices), Math.min(...prices), prices.at(-1)].join(' '),
    );
    const recorded = rows.map(({ symbol, startMs, open, high, low, close }) =>
      [symbol, startMs, 4, open, high, low, close].join(' '),
    );
    expect(rebuilt.sort()).toEqual(recorded.sort());
  });

  it('starts on 2018-07-01 by default, and ends with the last recorded minute', () => {
    const slots = slotsOf(market, at('2018-07-01T00:00:00Z'));
    expect(iso(market.firstSlot())).toBe('2018-07-01T00:00:00.000Z');
    expect(iso(slots.at(-1))).toBe('2018-07-28T08:59:00.000Z');
    expect(slots).toHaveLength((27 * 24 + 9) * 4);
    expect(market.nextSlot(at('2018-07-28T08:59:00Z'))).toBeUndefined();
    expect(market.firstSlot(at('2018-08-01T00:00:00Z'))).toBeUndefined();
  });

  it('omits ADA in the hours without a record of it', () => {
    const symbolsAt = (time: string): string[] => market.tickersAt(at(time)).map(({ symbol }) => symbol);
    expect(symbolsAt('2018-07-02T09:59:00Z')).toEqual(['ADAUSD', 'BTCUSD', 'ETHUSD', 'XRPUSD']);
    expect(symbolsAt('2018-07-02T10:00:00Z')).toEqual(['BTCUSD', 'ETHUSD', 'XRPUSD']);
    expect(symbolsAt('2018-07-02T10:59:00Z')).toEqual(['BTCUSD', 'ETHUSD', 'XRPUSD']);
    expect(symbolsAt('2018-07-02T11:00:00Z')).toEqual(['ADAUSD', 'BTCUSD', 'ETHUSD', 'XRPUSD']);
    const dayAfterTheGap = market.tickersAt(at('2018-07-03T10:20:00Z'))[0];
    expect(dayAfterTheGap).toMatchObject({ symbol: 'ADAUSD', prevPrice24h: '', price24hPcnt: '' });
  });

  it('has the same 24 h figures as a scan of all prices', () => {
    const slots = slotsOf(market, 0);
    const recorded = Map.groupBy(rows, ({ symbol }) => symbol);
    const points = new Map(
      [...recorded].map(([symbol, ofSymbol]) => [
        symbol,
        ofSymbol.flatMap((row) =>
          candlePath(row, 1).map(([offsetMs, price]) => ({ timeMs: row.startMs + offsetMs, price })),
        ),
      ]),
    );
    fc.assert(
      fc.property(fc.nat({ max: slots.length - 1 }), (index) => {
        const slot = slots[index] ?? 0;
        for (const ticker of market.tickersAt(slot)) {
          const ofSymbol = points.get(ticker.symbol) ?? [];
          const window = ofSymbol
            .filter(({ timeMs }) => timeMs > slot - 24 * HOUR && timeMs <= slot)
            .map(({ price }) => price);
          const before = ofSymbol.find(({ timeMs }) => timeMs === slot - 24 * HOUR);
          const hour = Math.floor(slot / HOUR) * HOUR;
          const volumes = (recorded.get(ticker.symbol) ?? [])
            .filter(({ startMs }) => startMs < hour && startMs >= hour - 24 * HOUR)
            .map(({ volume = 0 }) => volume);
          expect(Number(ticker.highPrice24h)).toBe(Math.max(...window));
          expect(Number(ticker.lowPrice24h)).toBe(Math.min(...window));
          expect(ticker.prevPrice24h).toBe(before === undefined ? '' : String(before.price));
          if (before !== undefined) {
            expect(Number(ticker.price24hPcnt)).toBeCloseTo(Number(ticker.lastPrice) / before.price - 1, 8);
          }
          if (volumes.length > 0) {
            const sum = volumes.reduce((total, volume) => total + volume, 0);
            expect(Number(ticker.volume24h) / sum).toBeCloseTo(1, 10);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('has plain decimals only, with a bid below and an ask above the last price', () => {
    for (const slot of slotsOf(market, at('2018-07-27T00:00:00Z'))) {
      for (const { symbol: _, ...values } of market.tickersAt(slot)) {
        for (const value of Object.values(values)) expect(value).toMatch(/^(-?\d+(\.\d+)?)?$/);
        expect(Number(values.bid1Price)).toBeLessThan(Number(values.lastPrice));
        expect(Number(values.ask1Price)).toBeGreaterThan(Number(values.lastPrice));
      }
    }
  });
});

describe('a replayed hour', () => {
  const start = at('2018-07-01T00:00:00Z');
  const lastPrices = (row: ReplayRow): (string | undefined)[] => {
    const market = new ReplayMarket([row]);
    return slotsOf(market, 0).map((slot) => market.tickersAt(slot)[0]?.lastPrice);
  };

  it('goes open, low, high, close if it rose', () => {
    expect(lastPrices(candle(start, { open: 10, close: 12 }))).toEqual(['10', '9', '14', '12']);
  });

  it('goes open, high, low, close if it fell', () => {
    expect(lastPrices(candle(start, { open: 12, close: 10 }))).toEqual(['12', '14', '9', '10']);
  });

  it('has plain digits where JavaScript would write an exponent', () => {
    const row = candle(start, { open: 1e-9, high: 3.5e-7, low: 1e-9, close: 2e-8 });
    expect(lastPrices(row)).toEqual(['0.000000001', '0.000000001', '0.00000035', '0.00000002']);
  });

  it('keeps a price until the next poll', () => {
    const market = new ReplayMarket([candle(start)]);
    expect(market.tickersAt(start + minutes(20) - 1)[0]?.lastPrice).toBe('10');
    expect(market.tickersAt(start + minutes(59.5))[0]?.lastPrice).toBe('12');
    expect(market.tickersAt(start + HOUR)).toEqual([]);
    expect(market.tickersAt(start - 1)).toEqual([]);
  });

  it('compares with the same point of the path a day before', () => {
    const market = new ReplayMarket([candle(start, { low: 8 }), candle(start + 24 * HOUR)]);
    expect(market.tickersAt(start + 24 * HOUR + minutes(20))).toEqual([
      {
        symbol: 'BTCUSD',
        bid1Price: '8.99955',
        bid1Size: '1',
        ask1Price: '9.00045',
        ask1Size: '1',
        lastPrice: '9',
        prevPrice24h: '8',
        price24hPcnt: '0.125',
        // Yesterday's 8 is exactly 24 hours old and no longer counts; its high of minute 40 does.
        highPrice24h: '14',
        lowPrice24h: '9',
        turnover24h: '36',
        volume24h: '3',
        usdIndexPrice: '9',
      },
    ]);
  });

  it('never writes a small change with an exponent', () => {
    const market = new ReplayMarket([
      candle(start, { open: 10_000_000, high: 1e8 }),
      candle(start + 24 * HOUR, { open: 10_000_001, high: 1e8 }),
    ]);
    expect(market.tickersAt(start + 24 * HOUR)[0]?.price24hPcnt).toBe('0.0000001');
  });

  it('omits the 24 h figures without a record of the day before', () => {
    const market = new ReplayMarket([candle(start)]);
    expect(market.tickersAt(start)[0]).toMatchObject({
      prevPrice24h: '',
      price24hPcnt: '',
      volume24h: '',
      turnover24h: '',
      highPrice24h: '10',
      lowPrice24h: '10',
    });
  });
});

describe('the polls of a replay', () => {
  it('skip hours without records', () => {
    const start = at('2018-07-01T00:00:00Z');
    const market = new ReplayMarket([candle(start + 5 * HOUR), candle(start)]);
    expect(slotsOf(market, 0).map((slot) => (slot - start) / 60_000)).toEqual([
      0, 20, 40, 59, 300, 320, 340, 359,
    ]);
    expect(iso(market.nextSlot(start + minutes(30)))).toBe('2018-07-01T00:40:00.000Z');
  });

  it('are four per recorded hour, in order, despite gaps', () => {
    const hourNumbers = fc.uniqueArray(fc.nat({ max: 500 }), { maxLength: 60 });
    fc.assert(
      fc.property(hourNumbers, hourNumbers, (btc, eth) => {
        const market = new ReplayMarket([
          ...btc.map((hour) => candle(hour * HOUR)),
          ...eth.map((hour) => candle(hour * HOUR, { symbol: 'ETHUSD' })),
        ]);
        const expected = [...new Set([...btc, ...eth])]
          .sort((a, b) => a - b)
          .flatMap((hour) => [0, 20, 40, 59].map((minute) => hour * HOUR + minutes(minute)));
        expect(slotsOf(market, 0)).toEqual(expected);
      }),
    );
  });

  it('are none without a history', () => {
    expect(new ReplayMarket([]).firstSlot()).toBeUndefined();
  });
});

describe('a history that cannot be replayed', () => {
  it('is rejected if a row does not start on the hour', () => {
    expect(() => new ReplayMarket([candle(minutes(30))])).toThrow(
      'BTCUSD at 1970-01-01T00:30:00.000Z: the replay needs hourly candles',
    );
  });

  it('is rejected if an hour is duplicated', () => {
    expect(() => new ReplayMarket([candle(0), candle(0)])).toThrow('two candles for this hour');
  });
});

describe('the candles of a replay', () => {
  const start = at('2018-07-01T00:00:00Z');
  const market = new ReplayMarket(
    Array.from({ length: 10 }, (_, hour) => candle(start + hour * HOUR, { volume: hour })),
  );
  const hoursOf = (query: Partial<Parameters<ReplayMarket['klines']>[0]>): number[] =>
    market
      .klines({ symbol: 'BTCUSD', untilMs: start + 10 * HOUR, ...query })
      .map(([kline]) => (Number(kline) - start) / HOUR);

  it('come newest first, as many as the limit allows', () => {
    expect(hoursOf({ limit: 3 })).toEqual([9, 8, 7]);
    expect(hoursOf({})).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it('can be paged backwards without gaps or duplicates', () => {
    const seen: number[] = [];
    let endMs = start + 100 * HOUR;
    for (;;) {
      const page = market.klines({
        symbol: 'BTCUSD',
        startMs: start,
        endMs,
        limit: 4,
        untilMs: start + 10 * HOUR,
      });
      if (page.length === 0) break;
      seen.push(...page.map(([kline]) => (Number(kline) - start) / HOUR));
      endMs = Number(page.at(-1)?.[0]) - 1;
    }
    expect(seen).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  it('include those exactly at the start and at the end', () => {
    expect(hoursOf({ startMs: start + 2 * HOUR, endMs: start + 4 * HOUR })).toEqual([4, 3, 2]);
  });

  it('are the oldest ones if only a start is given', () => {
    expect(hoursOf({ startMs: start + 2 * HOUR, limit: 3 })).toEqual([4, 3, 2]);
  });

  it('are known only once their last poll is done', () => {
    expect(hoursOf({ untilMs: start + 3 * HOUR + minutes(59) - 1 })).toEqual([2, 1, 0]);
    expect(hoursOf({ untilMs: start + 3 * HOUR + minutes(59) })).toEqual([3, 2, 1, 0]);
    expect(hoursOf({ untilMs: start })).toEqual([]);
  });

  it('are empty for an unknown symbol', () => {
    expect(hoursOf({ symbol: 'DOGEUSD' })).toEqual([]);
  });

  it('have the recorded prices and volume, and a turnover derived from them', () => {
    expect(market.klines({ symbol: 'BTCUSD', limit: 1, untilMs: start + 10 * HOUR })).toEqual([
      [String(start + 9 * HOUR), '10', '14', '9', '12', '9', '108'],
    ]);
  });
});
