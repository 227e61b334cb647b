import { formatSeries } from './series.ts';
import type { Ticker } from './ticker.ts';

/** What a tick says about how much of its series is traded. */
export type Traded = Pick<
  Ticker,
  'exchange' | 'category' | 'symbol' | 'base' | 'quote' | 'last_price' | 'turnover_24h' | 'volume_24h'
>;

/** Counted as one US dollar each. */
export const DOLLARS = ['USD', 'USDT', 'USDC'];

/**
 * The turnover of 24 hours in the quote currency; undefined if the exchange tells neither turnover nor volume. An inverse
 * contract is settled in its base currency, which its turnover counts. Where only the volume is known, in the base
 * currency, it counts at the last price.
 */
export function quoteTurnover({
  category,
  last_price,
  turnover_24h,
  volume_24h,
}: Pick<Traded, 'category' | 'last_price' | 'turnover_24h' | 'volume_24h'>): number | undefined {
  if (category === 'inverse') return turnover_24h === undefined ? undefined : turnover_24h * last_price;
  return turnover_24h ?? (volume_24h === undefined ? undefined : volume_24h * last_price);
}

/**
 * What one unit of each currency is worth in US dollars, by the prices of ticks of the same hour: 1 KRW is 1 ÷ 1380 USD
 * where USDT/KRW costs 1380. Pairs of pairs lead on to other currencies; of several that lead to the same one in as many
 * steps, that with the largest turnover counts. A currency that no path leads to is left out.
 */
export function usdRates(traded: readonly Traded[]): Map<string, number> {
  const rates = new Map(DOLLARS.map((currency) => [currency, 1]));
  for (;;) {
    const found = new Map<string, { rate: number; turnover: number }>();
    for (const tick of traded) {
      const step = stepFrom(rates, tick);
      if (step && step.turnover >= (found.get(step.currency)?.turnover ?? 0)) found.set(step.currency, step);
    }
    if (found.size === 0) return rates;
    for (const [currency, { rate }] of found) rates.set(currency, rate);
  }
}

/** The rate that a pair gives for one of its currencies if only the other's is known. */
function stepFrom(
  rates: ReadonlyMap<string, number>,
  tick: Traded,
): { currency: string; rate: number; turnover: number } | undefined {
  const { base, quote, last_price: price, category } = tick;
  // An option's price is not that of its currency.
  if (base === undefined || quote === undefined || category === 'option') return undefined;
  const [ofBase, ofQuote] = [rates.get(base), rates.get(quote)];
  const turnoverAt = (rateOfQuote: number) => (quoteTurnover(tick) ?? 0) * rateOfQuote;
  if (ofBase === undefined && ofQuote !== undefined) {
    return { currency: base, rate: ofQuote * price, turnover: turnoverAt(ofQuote) };
  }
  if (ofQuote === undefined && ofBase !== undefined) {
    return { currency: quote, rate: ofBase / price, turnover: turnoverAt(ofBase / price) };
  }
  return undefined;
}

/**
 * The turnover of 24 hours in US dollars by `formatSeries`, so that markets with different quotes compare. Series whose
 * turnover or rate is unknown are left out: they rank after all others.
 */
export function usdTurnovers(traded: readonly Traded[]): Map<string, number> {
  const rates = usdRates(traded);
  return new Map(
    traded.flatMap((tick) => {
      const rate = tick.quote === undefined ? undefined : rates.get(tick.quote);
      const turnover = quoteTurnover(tick);
      return rate === undefined || turnover === undefined
        ? []
        : [[formatSeries(tick), turnover * rate] as const];
    }),
  );
}
