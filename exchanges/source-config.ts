import * as z from 'zod';
import { CATEGORIES } from '../core/market/series.ts';
import { EXCHANGES, findTickerApi } from './registry.ts';

const apis = EXCHANGES.flatMap(({ tickerApis }) => tickerApis.map(({ name }) => name));

/** Any other exchange, by its id in ccxt: `ccxt:gate`. */
const ccxtApi = z.templateLiteral(['ccxt:', z.string().regex(/^[a-z0-9]{2,40}$/)]);

const word = z.string().regex(/^[a-z0-9-]{1,40}$/, 'expected 1 to 40 lower-case letters, digits and dashes');
const patterns = z.array(z.string().min(1).max(100)).min(1);
const currency = z.string().min(1).max(20);

/** One source of tickers, in a stage's configuration and in the ingest function's environment. */
export const sourceConfigSchema = z
  .strictObject({
    /** Unique in a deployment: names the source in metrics, logs and reports. */
    name: word,
    /** The `exchange` of its records. */
    exchange: word,
    api: z.union([z.enum(apis), ccxtApi], {
      error: `expected ${apis.join(', ')} or ccxt:<id> of an exchange`,
    }),
    categories: z.array(z.enum(CATEGORIES)).min(1),
    /** Patterns with `*` for symbols as the exchange spells them. @default all */
    symbols: z.strictObject({ include: patterns.optional(), exclude: patterns.optional() }).optional(),
    /** Quote currencies. @default all */
    quote: z.union([currency, z.array(currency).min(1)]).optional(),
    /** An answer with more tickers fails as a whole. @default 20,000 */
    maxTickers: z.int().positive().optional(),
  })
  .superRefine(({ api, categories }, context) => {
    const known = findTickerApi(api)?.api.categories;
    const unknown = categories.filter((category) => known && !known.includes(category));
    if (known && unknown.length > 0) {
      context.addIssue({
        code: 'custom',
        path: ['categories'],
        message: `${api} has no ${unknown.join(', ')}; it has ${known.join(', ')}`,
      });
    }
  });

export type SourceConfig = z.infer<typeof sourceConfigSchema>;

/** The sources that need no configuration, by name. */
export const KNOWN_SOURCES: Readonly<Record<string, SourceConfig>> = Object.fromEntries(
  EXCHANGES.flatMap(({ name: exchange, tickerApis }) =>
    tickerApis.map(({ name: api, categories, defaultCategories = categories }, position) => {
      const name = position === 0 ? exchange : api;
      return [name, { name, exchange, api, categories: [...defaultCategories] }];
    }),
  ),
);

/** There is no such source. */
export class UnknownSourceError extends Error {
  override readonly name = 'UnknownSourceError';
}

/**
 * A source by its short name: one of {@link KNOWN_SOURCES} or `ccxt:<id>` (spot by default), optionally with
 * categories: `bybit`, `binance:spot`, `ccxt:gate`, `ccxt:gate:spot,linear`.
 * @throws UnknownSourceError listing the alternatives
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
      `There is no source "${text}". Choose ${Object.keys(KNOWN_SOURCES).join(', ')}, or ccxt:<id> for any other exchange. Append :<categories> to poll only some, e.g. binance:spot or ccxt:gate:spot,linear.`,
    );
  }
  const checked = sourceConfigSchema.safeParse({
    ...known,
    ...(categories === undefined ? {} : { categories: categories.split(',') }),
  });
  if (checked.success) return checked.data;
  const reasons = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new UnknownSourceError(`"${text}" is not a valid source: ${reasons.join('; ')}.`);
}

/** Whether a source needs the function that bundles ccxt. */
export function usesCcxt({ api }: Pick<SourceConfig, 'api'>): boolean {
  return findTickerApi(api) === undefined;
}
