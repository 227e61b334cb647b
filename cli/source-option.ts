import { KNOWN_SOURCES, type SourceConfig, sourceNamed } from '../exchanges/source-config.ts';
import { httpUrl, parsed } from './options.ts';

/** A source as named on the command line: `bybit`, `binance:spot`, `ccxt:gate=http://127.0.0.1:8080`. */
export interface NamedSource {
  config: SourceConfig;
  /** Replaces the exchange's own hosts. */
  url: string | undefined;
}

/** The names, for help texts. */
export const SOURCE_NAMES = `${Object.keys(KNOWN_SOURCES).join(', ')}, ccxt:<id>`;

/** @throws InvalidArgumentError that lists the known sources */
export function namedSource(text: string): NamedSource {
  const equals = text.indexOf('=');
  const [name, url] = equals < 0 ? [text] : [text.slice(0, equals), httpUrl(text.slice(equals + 1))];
  return { config: parsed(name, sourceNamed), url };
}
