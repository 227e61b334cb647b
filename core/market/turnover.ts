import { type Candle, type CandleSeries, candleSeriesOf } from './candle.ts';
import { formatSeries } from './series.ts';
import type { Ticker } from './ticker.ts';

/** What was traded of a series: in one hour according to a candle, in 24 hours according to a tick. */
export interface Trade extends CandleSeries {
  /** The last one, in the quote currency. */
  price: number;
  /** In the quote currency; absent if neither turnover nor volume is known. */
  turnover?: number;
}

/** Counted as one US dollar each. */
export const DOLLARS = ['USD', 'USDT', 'USDC'];

/**
 * The trade of the 24 hours up to a tick. An inverse contract is settled in its base currency, and so is its
 * turnover. If only the volume is known, it is valued at the last price.
 */
export function tradeOfTick({
  last_price: price,
  turnover_24h,
  volume_24h,
  ...series
}: CandleSeries & Pick<Ticker, 'last_price' | 'turnover_24h' | 'volume_24h'>): Trade {
  const turnover =
    series.category === 'inverse'
      ? timesPrice(turnover_24h, price)
      : (turnover_24h ?? timesPrice(volume_24h, price));
  return { ...candleSeriesOf(series), price, ...(turnover === undefined ? {} : { turnover }) };
}

/**
 * The trade of a candle's hour: turnover is in the quote currency whatever the contract, volume in the base
 * currency.
 */
export function tradeOfCandle(candle: CandleSeries & Pick<Candle, 'close' | 'turnover' | 'volume'>): Trade {
  const turnover = candle.turnover ?? timesPrice(candle.volume, candle.close);
  return { ...candleSeriesOf(candle), price: candle.close, ...(turnover === undefined ? {} : { turnover }) };
}

function timesPrice(amount: number | undefined, price: number): number | undefined {
  return amount === undefined ? undefined : amount * price;
}

/**
 * What one unit of each currency is worth in US dollars, by the prices of one hour: 1 KRW is 1 ÷ 1380 USD
 * where USDT/KRW costs 1380. Chains of pairs lead to other currencies; among equally short chains, the
 * largest turnover decides. Currencies that no chain reaches are left out.
 */
export function usdRates(trades: readonly Trade[]): Map<string, number> {
  const rates = new Map(DOLLARS.map((currency) => [currency, 1]));
  for (;;) {
    const found = new Map<string, { rate: number; turnover: number }>();
    for (const trade of trades) {
      const step = stepFrom(rates, trade);
      if (step && step.turnover >= (found.get(step.currency)?.turnover ?? 0)) found.set(step.currency, step);
    }
    if (found.size === 0) return rates;
    for (const [currency, { rate }] of found) rates.set(currency, rate);
  }
}

/** The rate that a pair gives for one of its currencies if only the other's is known. */
function stepFrom(
  rates: ReadonlyMap<string, number>,
  trade: Trade,
): { currency: string; rate: number; turnover: number } | undefined {
  const { base, quote, price, category, turnover = 0 } = trade;
  // An option's price is not that of its currency.
  if (base === undefined || quote === undefined || category === 'option') return undefined;
  const [ofBase, ofQuote] = [rates.get(base), rates.get(quote)];
  if (ofBase === undefined && ofQuote !== undefined) {
    return { currency: base, rate: ofQuote * price, turnover: turnover * ofQuote };
  }
  if (ofQuote === undefined && ofBase !== undefined) {
    return { currency: quote, rate: ofBase / price, turnover: (turnover * ofBase) / price };
  }
  return undefined;
}

/**
 * The turnovers in US dollars by `formatSeries`, so that markets with different quotes compare: those of each hour by the
 * rates of that hour, added up. Series whose turnover or rate is unknown are left out: they rank after all others.
 * @param hours what was traded in each
 */
export function usdTurnovers(hours: Iterable<readonly Trade[]>): Map<string, number> {
  const turnovers = new Map<string, number>();
  for (const trades of hours) {
    const rates = usdRates(trades);
    for (const trade of trades) {
      const rate = trade.quote === undefined ? undefined : rates.get(trade.quote);
      if (rate === undefined || trade.turnover === undefined) continue;
      const series = formatSeries(trade);
      turnovers.set(series, (turnovers.get(series) ?? 0) + trade.turnover * rate);
    }
  }
  return turnovers;
}

/**
 * What was traded of one currency by series, in its own units, so its markets compare without any rate.
 * @param hours what was traded in each
 */
export function unitsTraded(hours: readonly (readonly Trade[])[]): (CandleSeries & { turnover?: number })[] {
  const bySeries = new Map<string, CandleSeries & { turnover?: number }>();
  for (const { price, turnover, ...series } of hours.flat()) {
    const before = bySeries.get(formatSeries(series))?.turnover;
    const units = turnover === undefined ? before : (before ?? 0) + turnover / price;
    bySeries.set(formatSeries(series), { ...series, ...(units === undefined ? {} : { turnover: units }) });
  }
  return [...bySeries.values()];
}
