import type { ClientOptions } from '../exchanges/http/client.ts';
import { createSource, type ExchangeSource } from '../exchanges/http/ticker-source.ts';
import { type SourceConfig, usesCcxt } from '../exchanges/source-config.ts';

/** Opens a source of any kind, to poll it from here. */
export async function openSource(config: SourceConfig, options: ClientOptions): Promise<ExchangeSource> {
  if (!usesCcxt(config)) return createSource(config, options);
  // ccxt takes a moment to load.
  const { createCcxtSource } = await import('../exchanges/ccxt/source.ts');
  return createCcxtSource(config, options);
}
