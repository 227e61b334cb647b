import { InvalidArgumentError, Option } from 'commander';

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

/** Where the pipeline on this machine keeps everything. */
export const folderOption = new Option('--folder <path>', 'where data, logs and state are kept').default(
  '.local',
);
