import * as z from 'zod';
import { CATEGORIES, type Category } from '../core/market/series.ts';
import { binance } from './binance.ts';
import { bybitV2 } from './bybit-v2.ts';
import { bybitV5 } from './bybit-v5.ts';
import { coinbase } from './coinbase.ts';
import type { ExchangeAdapter } from './exchange-adapter.ts';
import { type ExchangeSource, type HttpSourceOptions, httpSource } from './http-source.ts';
import { kraken } from './kraken.ts';
import { marketFilter } from './market-filter.ts';
import { okx } from './okx.ts';

/** The APIs that we speak ourselves. */
const ADAPTERS = {
  'bybit-v5': bybitV5,
  'bybit-v2': bybitV2,
  binance,
  okx,
  kraken,
  coinbase,
} satisfies Record<string, ExchangeAdapter>;

type NativeApi = keyof typeof ADAPTERS;
const apis = Object.keys(ADAPTERS) as [NativeApi, ...NativeApi[]];

/** Any other exchange, through ccxt, by its id there: `ccxt:gate`. */
const ccxtApi = z.templateLiteral(['ccxt:', z.string().regex(/^[a-z0-9]{2,40}$/)]);

const word = z.string().regex(/^[a-z0-9-]{1,40}$/, 'lower-case letters, digits and dashes, 40 at most');
const patterns = z.array(z.string().min(1).max(100)).min(1);
const currency = z.string().min(1).max(20);

/** One source of tickers, as the stage's configuration (and the ingest function's environment) names it. */
export const sourceConfigSchema = z
  .strictObject({
    /** Names the source's outbox marker; unique in a deployment. */
    name: word,
    /** What its records carry as `exchange`. */
    exchange: word,
    api: z.union([z.enum(apis), ccxtApi], {
      error: `expected ${apis.join(', ')} or ccxt:<id> of an exchange`,
    }),
    categories: z.array(z.enum(CATEGORIES)).min(1),
    /** Which symbols to take: patterns with `*`, as the exchange spells them. @default all */
    symbols: z.strictObject({ include: patterns.optional(), exclude: patterns.optional() }).optional(),
    /** Which quote currencies to take. @default all */
    quote: z.union([currency, z.array(currency).min(1)]).optional(),
  })
  .superRefine(({ api, categories }, context) => {
    if (!isNative(api)) return;
    const known: readonly Category[] = ADAPTERS[api].categories;
    const unknown = categories.filter((category) => !known.includes(category));
    if (unknown.length > 0) {
      context.addIssue({
        code: 'custom',
        path: ['categories'],
        message: `${api} has no ${unknown.join(', ')}; it has ${known.join(', ')}`,
      });
    }
  });

export type SourceConfig = z.infer<typeof sourceConfigSchema>;

/** The sources one can name without further configuration. */
export const KNOWN_SOURCES: Readonly<Record<string, SourceConfig>> = {
  bybit: { name: 'bybit', exchange: 'bybit', api: 'bybit-v5', categories: ['linear', 'inverse', 'spot'] },
  'bybit-v2': { name: 'bybit-v2', exchange: 'bybit', api: 'bybit-v2', categories: ['linear', 'inverse'] },
  binance: { name: 'binance', exchange: 'binance', api: 'binance', categories: ['spot', 'linear'] },
  okx: { name: 'okx', exchange: 'okx', api: 'okx', categories: ['spot', 'linear', 'inverse'] },
  kraken: { name: 'kraken', exchange: 'kraken', api: 'kraken', categories: ['spot'] },
  coinbase: { name: 'coinbase', exchange: 'coinbase', api: 'coinbase', categories: ['spot'] },
};

/** No source goes by that name. */
export class UnknownSourceError extends Error {
  override readonly name = 'UnknownSourceError';
}

/**
 * A source by its short name: one of {@link KNOWN_SOURCES} or `ccxt:<id>` (its spot markets), with the categories
 * to take where not all of them: `bybit`, `binance:spot`, `ccxt:gate`, `ccxt:gate:spot,linear`.
 * @throws UnknownSourceError that says what there is
 */
export function sourceNamed(text: string): SourceConfig {
  const [, id = '', categories] = /^(ccxt:[^:]*|[^:]*)(?::(.*))?$/.exec(text) ?? [];
  const exchange = /^ccxt:(.*)$/.exec(id)?.[1];
  const known =
    exchange === undefined
      ? Object.hasOwn(KNOWN_SOURCES, id) && KNOWN_SOURCES[id]
      : { name: `ccxt-${exchange}`, exchange, api: id, categories: ['spot'] };
  if (!known) {
    throw new UnknownSourceError(
      `There is no source "${text}". There are ${Object.keys(KNOWN_SOURCES).join(', ')}, and ccxt:<id> for any other exchange, each with :<categories> where not all are wanted, e.g. binance:spot or ccxt:gate:spot,linear.`,
    );
  }
  const checked = sourceConfigSchema.safeParse({
    ...known,
    ...(categories === undefined ? {} : { categories: categories.split(',') }),
  });
  if (checked.success) return checked.data;
  const reasons = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new UnknownSourceError(`"${text}" names no source: ${reasons.join('; ')}.`);
}

/** Whether a source needs ccxt, which has a bundle of its own. */
export function usesCcxt({ api }: Pick<SourceConfig, 'api'>): boolean {
  return !isNative(api);
}

function isNative(api: SourceConfig['api']): api is NativeApi {
  return Object.hasOwn(ADAPTERS, api);
}

/** What a source can be given beside its configuration, whoever speaks to the exchange. */
export type SourceOptions = Pick<HttpSourceOptions, 'baseUrl' | 'onRetry' | 'onTraffic' | 'requestTimeoutMs'>;

/**
 * The client of a configured source; `baseUrl` replaces the exchange's own hosts.
 * @throws UnknownSourceError for a source that needs ccxt
 */
export function createSource(config: SourceConfig, options: SourceOptions = {}): ExchangeSource {
  const { name, exchange, categories, api } = config;
  if (!isNative(api)) {
    throw new UnknownSourceError(`${name} (${api}) has to run in the function with ccxt, ingest-ccxt.`);
  }
  return httpSource({
    name,
    exchange,
    categories,
    adapter: ADAPTERS[api],
    wants: marketFilter(config),
    ...options,
  });
}
