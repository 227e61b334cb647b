import { InvalidArgumentError } from 'commander';
import {
  KNOWN_SOURCES,
  type SourceConfig,
  sourceNamed,
  UnknownSourceError,
} from '../exchanges/source-config.ts';
import { httpUrl } from './options.ts';

/** A source as the command line names it: `bybit`, `binance:spot`, `ccxt:gate=http://127.0.0.1:8080`. */
export interface NamedSource {
  config: SourceConfig;
  /** Replaces the exchange's own hosts. */
  url: string | undefined;
}

/** What can be named, for help texts. */
export const SOURCE_NAMES = `${Object.keys(KNOWN_SOURCES).join(', ')}, ccxt:<id>`;

/** @throws InvalidArgumentError that says what there is */
export function namedSource(text: string): NamedSource {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  try {
    return {
      config: sourceNamed(name),
      url: equals < 0 ? undefined : httpUrl(text.slice(equals + 1)),
    };
  } catch (error) {
    if (error instanceof UnknownSourceError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}
