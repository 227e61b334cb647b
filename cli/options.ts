import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../core/market/time.ts';

/** Parsers of option values; each says what it expected. */

export function wholeNumber(minimum: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum) {
      throw new InvalidArgumentError(`expected a whole number from ${minimum} on.`);
    }
    return value;
  };
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('expected a port from 1 to 65535.');
  }
  return port;
}

export function httpUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('expected a URL such as http://127.0.0.1:9200.');
  }
  return text.replace(/\/+$/, '');
}

export function hostAndPort(text: string): string {
  if (!/^[^:/\s]+:\d+$/.test(text))
    throw new InvalidArgumentError('expected HOST:PORT such as 127.0.0.1:9092.');
  return text;
}

/** A date or a time of ISO 8601, UTC unless it says otherwise → ISO 8601 UTC with milliseconds. */
export function instant(text: string): string {
  const match = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  const isLocal = match?.[1] !== undefined && match[4] === undefined;
  const ms = match ? Date.parse(isLocal ? `${text}Z` : text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError(
      'expected a date or a time in UTC such as 2018-07-01 or 2018-07-01T06:00.',
    );
  }
  return new Date(ms).toISOString();
}

/** A duration such as `90d`, as it is written. */
export function duration(text: string): string {
  try {
    parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  return text;
}

/** Adds the options that say which part of the data a command is about: {@link RangeFlags}. */
export function withRangeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--from <time>', 'first slot, UTC (default: the first there is)').argParser(instant),
    )
    .addOption(
      new Option('--to <time>', 'slot to stop before, UTC (default: after the last there is)').argParser(
        instant,
      ),
    )
    .addOption(new Option('--exchange <name>', 'only this exchange (default: all)'));
}

/** ISO 8601 UTC with milliseconds. */
export interface RangeFlags {
  from?: string;
  to?: string;
  exchange?: string;
}

/** Where the pipeline on this machine keeps everything. */
export const folderOption = new Option('--folder <path>', 'where data, logs and state are kept').default(
  '.local',
);
