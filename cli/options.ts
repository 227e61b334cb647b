import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration, parseTime } from '../core/market/time.ts';

export function wholeNumber(minimum: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum) {
      throw new InvalidArgumentError(`expected a whole number of at least ${minimum}.`);
    }
    return value;
  };
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError('expected a number above 0.');
  }
  return value;
}

export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('expected a port from 1 to 65535.');
  }
  return port;
}

/** Without the slash at its end. */
export function httpUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('expected a URL such as http://127.0.0.1:9200.');
  }
  return text.replace(/\/+$/, '');
}

/** `host:port,host:port`, without spaces. */
export function brokers(text: string): string {
  const addresses = text.split(',').map((address) => address.trim());
  for (const address of addresses) {
    const port = Number(/^[^:/\s]+:(\d+)$/.exec(address)?.[1]);
    if (!(port >= 1 && port <= 65_535)) {
      throw new InvalidArgumentError(
        `"${address}" is not HOST:PORT. Give a broker such as 127.0.0.1:9092, or several separated by commas.`,
      );
    }
  }
  return addresses.join(',');
}

/** A date or time in ISO 8601, UTC unless it has an offset → ISO 8601 UTC with milliseconds. */
export function instant(text: string): string {
  const [, time = text, sign, hours, minutes] =
    /^(.+T.+[^Z])([+-])([01]\d|2[0-3]):?([0-5]\d)$/.exec(text) ?? [];
  const offsetMs = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000 : 0;
  return new Date(parsed(time, parseTime) - offsetMs).toISOString();
}

/** {@link instant}, or a time relative to now as OpenSearch Dashboards reads it: `now`, `now-30d`, `now/d`. */
export function instantOrRelative(text: string): string {
  return /^now([+-]\d+[smhdwMy])?(\/[smhdwMy])?$/.test(text) ? text : instant(text);
}

/** Checks a duration such as `90d` and keeps its text. */
export function duration(text: string): string {
  parsed(text, parseDuration);
  return text;
}

/** What `parse` returns; its error becomes a usage error. */
export function parsed<T>(text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** Values separated by commas, each once. */
export function commaList(text: string): string[] {
  const values = [...new Set(text.split(',').map((value) => value.trim()))].filter((value) => value !== '');
  if (values.length === 0) throw new InvalidArgumentError('expected values separated by commas.');
  return values;
}

/** ISO 8601 UTC with milliseconds. */
export interface RangeFlags {
  from?: string;
  to?: string;
  exchange?: string;
}

/** Adds the options that select slots: {@link RangeFlags}. */
export function withRangeOptions(command: Command): Command {
  return command
    .option('--from <time>', 'first slot, UTC (default: the oldest)', instant)
    .option('--to <time>', 'end, UTC; this slot is left out (default: after the newest)', instant)
    .option('--exchange <name>', 'only this exchange (default: all)');
}

/** Adds the option that names the folder of the pipeline on this machine. */
export function withFolderOption(command: Command): Command {
  return command.option('--folder <path>', 'where data, logs and state are kept', '.local');
}
