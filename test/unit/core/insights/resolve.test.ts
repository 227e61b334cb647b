import { describe, expect, it } from 'vitest';
import { resolveSeries } from '../../../../core/insights/resolve.ts';
import type { CandleSeries } from '../../../../core/market/candle.ts';
import { formatSeries } from '../../../../core/market/series.ts';
import { InMemoryStore } from './in-memory-store.ts';
import { flat, START_MS } from './sample-candles.ts';

const series = (exchange: string, category: CandleSeries['category'], symbol: string): CandleSeries => ({
  exchange,
  category,
  symbol,
  base: symbol.slice(0, 3),
});
const spot = series('bybit', 'spot', 'BTCUSDT');
const linear = series('bybit', 'linear', 'BTCUSDT');
const euro = series('bybit', 'spot', 'BTCEUR');
const archived = series('archive', 'spot', 'BTCUSD');

const storeOf = (...all: (CandleSeries & { turnover?: number })[]) =>
  new InMemoryStore(
    all.map((one) => ({ ...flat(0, 1), ...one })),
    all.map(({ turnover, ...one }) => ({
      series: one,
      slotMs: START_MS,
      price: 1,
      ...(turnover === undefined ? {} : { turnover }),
    })),
  );
const resolve = async (name: string, store: InMemoryStore, scope = {}) =>
  formatSeries(await resolveSeries(name, scope, store));

describe('a name', () => {
  it('resolves a symbol to its series, ignoring case', async () => {
    expect(await resolve('btcusdt', storeOf(spot, euro))).toBe('bybit:spot:BTCUSDT');
  });

  it('prefers the symbol in the same case if several match', async () => {
    const store = storeOf(spot, series('bybit', 'spot', 'BtcUsdt'));
    expect(await resolve('BtcUsdt', store)).toBe('bybit:spot:BtcUsdt');
  });

  it('can be a complete series', async () => {
    expect(await resolve('bybit:linear:BTCUSDT', storeOf(spot, linear))).toBe('bybit:linear:BTCUSDT');
  });

  it('may contain a colon, alone and in a complete series', async () => {
    const store = storeOf(spot, series('bitfinex', 'spot', 'tDOGE:USD'));
    for (const name of ['tDOGE:USD', 'bitfinex:spot:tDOGE:USD']) {
      expect(await resolve(name, store)).toBe('bitfinex:spot:tDOGE:USD');
    }
  });

  it('is an error with the choices if several series match', async () => {
    await expect(resolve('BTCUSDT', storeOf(spot, linear))).rejects.toMatchObject({
      name: 'NoAnswerError',
      reason: 'ambiguousSymbol',
      choices: ['bybit:linear:BTCUSDT', 'bybit:spot:BTCUSDT'],
      message: expect.stringContaining('--category'),
    });
  });

  it('can be narrowed down by exchange and category', async () => {
    expect(await resolve('BTCUSDT', storeOf(spot, linear), { category: 'linear' })).toBe(
      'bybit:linear:BTCUSDT',
    );
  });

  it('of a currency resolves to its series with the most turnover', async () => {
    const store = storeOf({ ...spot, turnover: 5 }, { ...linear, turnover: 9 }, { ...euro, turnover: 7 });
    expect(await resolve('BTC', store)).toBe('bybit:linear:BTCUSDT');
    expect(await resolve('btc', store, { category: 'spot' })).toBe('bybit:spot:BTCEUR');
  });

  it('of a currency without turnover resolves to its only series, or is ambiguous', async () => {
    expect(await resolve('BTC', storeOf(spot))).toBe('bybit:spot:BTCUSDT');
    await expect(resolve('BTC', storeOf(spot, euro))).rejects.toMatchObject({
      reason: 'ambiguousSymbol',
      choices: ['bybit:spot:BTCEUR', 'bybit:spot:BTCUSDT'],
    });
  });

  it('is an error with the nearest names if mistyped', async () => {
    await expect(
      resolve('BTCUSTD', storeOf(spot, euro, series('bybit', 'spot', 'XRPUSDT'))),
    ).rejects.toMatchObject({
      reason: 'unknownSymbol',
      choices: ['BTCUSDT'],
      message: 'There is no symbol or currency BTCUSTD. Nearest: BTCUSDT.',
    });
  });

  it('is an error that says where else the symbol exists', async () => {
    await expect(resolve('BTCUSDT', storeOf(spot), { category: 'linear' })).rejects.toMatchObject({
      message: 'There is no BTCUSDT in any linear market, but there is bybit:spot:BTCUSDT.',
    });
  });

  it('only matches the archive if the archive is named', async () => {
    const store = storeOf(archived);
    await expect(resolve('BTCUSD', store)).rejects.toMatchObject({
      reason: 'unknownSymbol',
      choices: ['archive:spot:BTCUSD'],
    });
    expect(await resolve('BTCUSD', store, { exchange: 'archive' })).toBe('archive:spot:BTCUSD');
    expect(await resolve('archive:spot:BTCUSD', store)).toBe('archive:spot:BTCUSD');
  });

  it('is unknown if nothing is stored', async () => {
    await expect(resolve('BTC', storeOf())).rejects.toMatchObject({
      message: 'There is no symbol or currency BTC. There is no data here yet.',
    });
  });
});
