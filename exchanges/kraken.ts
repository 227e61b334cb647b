import * as z from 'zod';
import {
  type SourceError,
  SourceRefusedError,
  SourceUnavailableError,
} from '../core/ingest/source-errors.ts';
import {
  type Ask,
  type ExchangeAdapter,
  type ExchangeResponse,
  ifAvailable,
  type ResponseContext,
} from './exchange-adapter.ts';
import { httpFailure, type RateLimitRules, rateLimited } from './http-failures.ts';
import { type Entry, type FieldMap, fieldOf, normaliseList, type Pair } from './normalise.ts';
import { splitPair } from './pair-symbols.ts';

/** The names that {@link valuesOf} gives. */
const FIELDS: FieldMap = {
  'c[0]': 'last_price',
  'b[0]': 'bid_price',
  'b[2]': 'bid_size',
  'a[0]': 'ask_price',
  'a[2]': 'ask_size',
  'h[1]': 'high_price_24h',
  'l[1]': 'low_price_24h',
  'v[1]': 'volume_24h',
};

/**
 * https://docs.kraken.com/api/docs/rest-api/get-ticker-information: arrays under one-letter names. `a` and `b` are
 * [price, whole lots, lots], `c` is [price, lots], `h`, `l` and `v` are [today, last 24 hours]. `o` is today's
 * opening price, so there is no change of 24 hours; nor is there a time.
 */
function valuesOf(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const names = Object.keys(FIELDS).map((name): [string, unknown] => {
    const [letter = '', index] = name.split(/[[\]]/);
    return [name, fieldOf(fieldOf(raw, letter), Number(index))];
  });
  return Object.fromEntries(names);
}

const ASSET_PAIRS_KEPT_MS = 6 * 60 * 60_000;

/** Kraken's own names of assets that the rest of the world calls otherwise. */
const COMMON_NAMES: Readonly<Record<string, string>> = { XBT: 'BTC', XDG: 'DOGE' };

/** For pairs that AssetPairs does not tell. */
const QUOTES = [
  'USDT',
  'USDC',
  'USD',
  'EUR',
  'GBP',
  'CAD',
  'AUD',
  'CHF',
  'JPY',
  'XBT',
  'ETH',
  'DAI',
  'PYUSD',
];

const outcome = z.object({ error: z.array(z.string()) });
/** The result is missing where there are errors only. */
const tickerList = outcome.extend({ result: z.record(z.string(), z.unknown()) });
const pairNames = z.object({ wsname: z.string() });
const assetPairs = outcome.extend({
  result: z.record(z.string(), pairNames.or(z.unknown().transform(() => undefined))),
});

/** Public calls: about one a second for an IP. */
const LIMITS: RateLimitRules = {
  waitMs: () => 5_000,
  // "EService:Throttled: [UNIX timestamp]"
  toldMs: ({ json }) => [
    Number(/Throttled:\D*(\d{10})/.exec(JSON.stringify(fieldOf(json, 'error')) ?? '')?.[1]) * 1_000,
  ],
};

/** Kraken's spot pairs, in one request. */
export const kraken: ExchangeAdapter = {
  defaultBaseUrl: 'https://api.kraken.com',
  categories: ['spot'],
  pace: { concurrency: 2 },
  failureOf,

  async tickers(ask, scope) {
    const [{ value, ...answer }, pairs] = await Promise.all([
      ask({ path: '/0/public/Ticker' }, tickerList),
      assetPairsOf(ask),
    ]);
    const entries = Object.entries(value.result).map(
      ([symbol, raw]): Entry => ({ symbol, values: valuesOf(raw), raw: { [symbol]: raw } }),
    );
    const pairOf = (symbol: string) => krakenPair(symbol, pairs?.value.result[symbol]?.wsname);
    return normaliseList(entries, FIELDS, pairOf, { ...scope, ...answer });
  },
};

function assetPairsOf(ask: Ask) {
  const request = { path: '/0/public/AssetPairs', keepMs: ASSET_PAIRS_KEPT_MS, optional: true };
  return ifAvailable(ask(request, assetPairs));
}

/** Base and quote of one pair: as AssetPairs has them, else as {@link krakenPair} reads them. */
export async function krakenPairOf(ask: Ask, symbol: string): Promise<Pair> {
  const pairs = await assetPairsOf(ask);
  return krakenPair(symbol, pairs?.value.result[symbol]?.wsname);
}

/**
 * Base and quote by the names that the rest of the world uses: Kraken's XBT is BTC, its XDG is DOGE.
 * @param wsname `XBT/USD`, from AssetPairs; without it the symbol (`XXBTZUSD`, `ADAUSD`) has to tell
 */
export function krakenPair(symbol: string, wsname?: string): Pair {
  const classic = /^[XZ]([A-Z]{3})[XZ]([A-Z]{3})$/.exec(symbol);
  const split = splitPair(symbol, QUOTES);
  const [base, quote] = wsname?.split('/') ?? classic?.slice(1) ?? [split?.base, split?.quote];
  if (!base || !quote) return {};
  return { base: COMMON_NAMES[base] ?? base, quote: COMMON_NAMES[quote] ?? quote };
}

function failureOf(response: ExchangeResponse, context: ResponseContext): SourceError | undefined {
  const { url } = context;
  const answer = outcome.safeParse(response.json);
  // Those that start with W are warnings.
  const errors = answer.success ? answer.data.error.filter((error) => !error.startsWith('W')) : [];
  const message = errors.join(', ');
  if (errors.length === 0) return httpFailure(response, context, LIMITS);
  if (/^E\w+:(Rate limit|Too many requests|Throttled|Temporary lockout)/.test(message)) {
    return rateLimited(message, 'too many calls', response, context, LIMITS);
  }
  if (/^E(Service:|General:Internal error|Query:Temporarily)/.test(message)) {
    return new SourceUnavailableError(`${url} answered ${message}`, { url });
  }
  return new SourceRefusedError(`${url} answered ${message}`, { url });
}
