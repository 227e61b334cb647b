import * as z from 'zod';
import { CATEGORIES } from '../../domain/ticker.ts';
import { bybitV2 } from './bybit-v2.ts';
import { bybitV5 } from './bybit-v5.ts';
import type { ExchangeAdapter } from './exchange-adapter.ts';
import { type HttpSourceOptions, httpSource, type TickerSource } from './http-source.ts';

/** The APIs that we speak. */
const ADAPTERS = { 'bybit-v5': bybitV5, 'bybit-v2': bybitV2 } satisfies Record<string, ExchangeAdapter>;

const apis = Object.keys(ADAPTERS) as [keyof typeof ADAPTERS, ...(keyof typeof ADAPTERS)[]];

/** One source of tickers, as the stage's configuration (and the ingest function's environment) names it. */
export const sourceConfigSchema = z
  .strictObject({
    /** Names the source's outbox marker; unique in a deployment. */
    name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'lower-case letters, digits and dashes, 40 at most'),
    /** What its records carry as `exchange`. */
    exchange: z.string().regex(/^[a-z0-9-]{1,40}$/, 'lower-case letters, digits and dashes, 40 at most'),
    api: z.enum(apis),
    categories: z.array(z.enum(CATEGORIES)).min(1),
  })
  .superRefine(({ api, categories }, context) => {
    const unknown = categories.filter((category) => !ADAPTERS[api].categories.includes(category));
    if (unknown.length > 0) {
      context.addIssue({
        code: 'custom',
        path: ['categories'],
        message: `${api} has no ${unknown.join(', ')}; it has ${ADAPTERS[api].categories.join(', ')}`,
      });
    }
  });

export type SourceConfig = z.infer<typeof sourceConfigSchema>;

/** The sources one can name without further configuration. */
export const KNOWN_SOURCES: Readonly<Record<string, SourceConfig>> = {
  bybit: { name: 'bybit', exchange: 'bybit', api: 'bybit-v5', categories: ['linear', 'inverse', 'spot'] },
  'bybit-v2': { name: 'bybit-v2', exchange: 'bybit', api: 'bybit-v2', categories: ['linear', 'inverse'] },
};

/** The client of a configured source; `baseUrl` replaces the exchange's own. */
export function createSource(
  config: SourceConfig,
  options: Pick<HttpSourceOptions, 'baseUrl' | 'onRetry' | 'requestTimeoutMs'> = {},
): TickerSource {
  return httpSource({ ...config, ...options, adapter: ADAPTERS[config.api] });
}
