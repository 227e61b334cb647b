import type { MarketInterface, Ticker as UnifiedTicker } from 'ccxt';
import { fieldOf, readDecimal } from '../payload/fields.ts';

/**
 * In our units: a linear contract's volume is in base and its turnover in quote currency; for an inverse one
 * it is the reverse.
 */
interface Volumes {
  baseVolume: number | undefined;
  quoteVolume: number | undefined;
}

/** An amount may be in base currency, in quote currency, or a number of contracts. */
type Unit = 'base' | 'quote' | 'contracts';

const UNITS: readonly Unit[] = ['base', 'quote', 'contracts'];
/** The last price may be this far (as a factor's logarithm) from the average of the trades. */
const TOLERANCE = 0.4;

/**
 * What ccxt calls base and quote volume of a contract is whatever the exchange sends in two fields: contracts
 * (OKX), or quote and base the wrong way round (inverse contracts of Bybit). Price and contract size show
 * which units the two have. If they do not, the amounts are left out.
 */
export function contractVolumes(market: MarketInterface, ticker: UnifiedTicker): Volumes {
  const { last, info } = ticker;
  const contractSize = market.contractSize;
  if (!market.contract || !last || !contractSize) return { baseVolume: undefined, quoteVolume: undefined };
  /** How many units make one of the base currency. */
  const perBase: Record<Unit, number> = {
    base: 1,
    quote: last,
    contracts: market.inverse ? last / contractSize : 1 / contractSize,
  };
  // OKX has the base volume of contracts in a field that ccxt reads only for spot.
  const okx = readDecimal(fieldOf(info, 'volCcy24h'));
  const units =
    'value' in okx && okx.value !== undefined
      ? [{ amount: okx.value, unit: 'base' as const }]
      : unitsOf(ticker.baseVolume, ticker.quoteVolume, perBase);
  const amountIn = (unit: Unit) => units.find((each) => each.unit === unit)?.amount;
  const inContracts = amountIn('contracts');
  const [first] = units;
  const base =
    amountIn('base') ??
    (inContracts !== undefined && !market.inverse ? inContracts * contractSize : undefined) ??
    (first && first.amount / perBase[first.unit]);
  const quote =
    amountIn('quote') ??
    (inContracts !== undefined && market.inverse ? inContracts * contractSize : undefined);
  return market.inverse ? { baseVolume: quote, quoteVolume: base } : { baseVolume: base, quoteVolume: quote };
}

function unitsOf(
  base: number | undefined,
  quote: number | undefined,
  perBase: Record<Unit, number>,
): { amount: number; unit: Unit }[] {
  if (base === undefined && quote === undefined) return [];
  if (base === 0 || quote === 0) {
    return [
      { amount: 0, unit: 'base' },
      { amount: 0, unit: 'quote' },
    ];
  }
  if (base === undefined) return [{ amount: quote as number, unit: 'quote' }];
  // A single amount could be in any unit, unless a contract is one unit of the base currency.
  if (quote === undefined) return perBase.contracts === 1 ? [{ amount: base, unit: 'base' }] : [];
  const readings = UNITS.flatMap((a) => UNITS.map((b) => ({ a, b })))
    .filter(({ a, b }) => a !== b)
    .map(({ a, b }) => ({ a, b, off: Math.abs(Math.log((quote / base) * (perBase[a] / perBase[b]))) }))
    .sort((x, y) => x.off - y.off);
  // Prefer the exchange's own names where they are plausible.
  const best =
    readings.find(({ a, b, off }) => a === 'base' && b === 'quote' && off < TOLERANCE) ?? readings[0];
  if (!best || best.off > TOLERANCE) return [];
  return [
    { amount: base, unit: best.a },
    { amount: quote, unit: best.b },
  ];
}
