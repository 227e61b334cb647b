import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  PriceHistoryError,
  readCandleHistory,
  readPriceHistory,
} from '../../../../local/market-replay/history.ts';

const HEADER = 'start,symbol,open,high,low,close,volume';
const ROW = '2018-01-01T00:00:00Z,BTCUSD,10,14,9,12,3.5';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'price-history-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

let files = 0;
async function fileOf(content: string | Uint8Array, extension = '.csv'): Promise<string> {
  files += 1;
  const file = join(folder, `${files}${extension}`);
  await writeFile(file, content);
  return file;
}

async function failureOf(
  file: string,
  read: (file: string) => Promise<unknown> = readPriceHistory,
): Promise<PriceHistoryError> {
  const failure = await read(file).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof PriceHistoryError))
    throw new Error(`expected a PriceHistoryError, got ${failure}`);
  return failure;
}

describe('a price history file', () => {
  const row = {
    startMs: Date.parse('2018-01-01T00:00:00Z'),
    symbol: 'BTCUSD',
    open: 10,
    high: 14,
    low: 9,
    close: 12,
    volume: 3.5,
  };

  it('gives rows of numbers', async () => {
    expect(await readPriceHistory(await fileOf(`${HEADER}\n${ROW}\n`))).toEqual([row]);
  });

  it('may be compressed with gzip', async () => {
    expect(await readPriceHistory(await fileOf(gzipSync(`${HEADER}\n${ROW}\n`), '.csv.gz'))).toEqual([row]);
  });

  it('may have a byte order mark, CRLF, blank lines, quotes and no final line break', async () => {
    const content = `\uFEFF"start",${HEADER.slice(6)}\r\n\r\n"2018-01-01T00:00:00.000Z","BTCUSD",10,14,9,12,3.5`;
    expect(await readPriceHistory(await fileOf(content))).toEqual([row]);
  });

  it('may have its columns in any order', async () => {
    const content = 'symbol,start,close,open,low,high,volume\nBTCUSD,2018-01-01T00:00:00Z,12,10,9,14,3.5\n';
    expect(await readPriceHistory(await fileOf(content))).toEqual([row]);
  });

  it('may have a column with the turnover', async () => {
    const content = `${HEADER},turnover\n${ROW},42\n`;
    expect(await readPriceHistory(await fileOf(content))).toEqual([{ ...row, turnover: 42 }]);
  });

  it('keeps every row when lines are split over the chunks it is read in', async () => {
    const lines = Array.from({ length: 5000 }, (_, hour) => {
      const start = new Date(Date.UTC(2018, 0, 1, hour)).toISOString();
      return `${start},BTCUSD,${hour + 10},${hour + 14},${hour + 9},${hour + 12},0`;
    });
    const rows = await readPriceHistory(await fileOf([HEADER, ...lines].join('\n')));
    expect(rows.map(({ open }) => open)).toEqual(lines.map((_, hour) => hour + 10));
  });
});

describe('an invalid price history file', () => {
  it.each([
    ['2018-01-01T01:00:00Z,BTCUSD,10,14,9,12', 'the row has 6 values'],
    ['2018-01-01T01:00:00Z,BTCUSD,10,14,9,12,1,2', 'the row has 8 values'],
    ['2018-01-01 01:00,BTCUSD,10,14,9,12,1', 'start is "2018-01-01 01:00"'],
    ['2018-01-01T01:00:00,BTCUSD,10,14,9,12,1', 'start is "2018-01-01T01:00:00"'],
    ['2018-02-30T01:00:00Z,BTCUSD,10,14,9,12,1', 'start is "2018-02-30T01:00:00Z"'],
    ['2018-01-01T01:00:00Z,,10,14,9,12,1', 'symbol is ""'],
    ['2018-01-01T01:00:00Z,a b,10,14,9,12,1', 'symbol is "a b"'],
    ['2018-01-01T01:00:00Z,BTCUSD,,14,9,12,1', 'open is ""'],
    ['2018-01-01T01:00:00Z,BTCUSD,0,14,0,12,1', 'open is "0"'],
    ['2018-01-01T01:00:00Z,BTCUSD,10,1e999,9,12,1', 'high is "1e999"'],
    ['2018-01-01T01:00:00Z,BTCUSD,10,14,0x9,12,1', 'low is "0x9"'],
    ['2018-01-01T01:00:00Z,BTCUSD,10,14,9,-12,1', 'close is "-12"'],
    ['2018-01-01T01:00:00Z,BTCUSD,10,14,9,12,-1', 'volume is "-1"'],
    ['2018-01-01T01:00:00Z,BTCUSD,10,14,9,12,NaN', 'volume is "NaN"'],
    ['2018-01-01T01:00:00Z,BTCUSD,10,14,11,12,1', 'low 11 is above open 10'],
    ['2018-01-01T01:00:00Z,BTCUSD,10,11,9,12,1', 'high 11 is below close 12'],
    ['2018-01-01T00:00:00.000Z,BTCUSD,9,9,9,9,1', 'BTCUSD at 2018-01-01T00:00:00.000Z is already on line 2'],
  ])('names the line: %s', async (line, problem) => {
    const file = await fileOf(`${HEADER}\n${ROW}\n\n${line}\n`);
    const failure = await failureOf(file);
    expect(failure.message).toContain(`${file}, line 4: ${problem}. Expected `);
    expect(failure).toMatchObject({ file, line: 4 });
  });

  it('names the columns that are missing, unknown or duplicated', async () => {
    const failure = await failureOf(await fileOf('time,symbol,symbol,open,high,low,close,volume\n'));
    expect(failure.line).toBe(1);
    expect(failure.message).toContain(
      'the column "start" is missing, the column "time" is unknown, the column "symbol" is duplicated',
    );
    expect(failure.message).toContain(`Expected the header ${HEADER}`);
  });

  it('is rejected if empty or without rows', async () => {
    expect((await failureOf(await fileOf(''))).message).toContain('the file is empty');
    expect((await failureOf(await fileOf(`${HEADER}\n`))).message).toContain(
      'there are no rows after the header',
    );
  });

  it('is rejected with the cause if it does not exist', async () => {
    const failure = await failureOf(join(folder, 'nowhere.csv.gz'));
    expect(failure.message).toContain('nowhere.csv.gz: it cannot be read: ENOENT');
    expect(failure.cause).toMatchObject({ code: 'ENOENT' });
  });

  it('is rejected if its gzip data is cut off or missing', async () => {
    const packed = gzipSync(`${HEADER}\n${ROW}\n`);
    const cut = await failureOf(await fileOf(packed.subarray(0, packed.length - 12), '.csv.gz'));
    expect(cut.message).toContain('it cannot be unpacked');
    const plain = await failureOf(await fileOf(`${HEADER}\n${ROW}\n`, '.csv.gz'));
    expect(plain.message).toContain('one that is not compressed must not be named .gz');
  });

  it('is rejected if it is gzip but not named .gz', async () => {
    const failure = await failureOf(await fileOf(gzipSync(`${HEADER}\n${ROW}\n`)));
    expect(failure.message).toContain('the content is not UTF-8 text');
    expect(failure.message).toContain('its name must end in .gz');
  });
});

describe('a file of candles', () => {
  const rows = (...starts: string[]) =>
    fileOf([HEADER, ...starts.map((start) => ROW.replace('2018-01-01T00:00:00Z', start))].join('\n'));
  const stepOf = async (...starts: string[]) => (await readCandleHistory(await rows(...starts))).hours;

  it('is hourly or daily by the most frequent distance between its rows', async () => {
    expect(await stepOf('2018-01-01T00:00:00Z', '2018-01-01T01:00:00Z')).toBe(1);
    expect(await stepOf('2018-01-02T00:00:00Z', '2018-01-01T00:00:00Z')).toBe(24);
    expect(await stepOf('2018-01-01T00:00:00Z', '2018-01-01T02:00:00Z', '2018-01-03T02:00:00Z')).toBe(1);
    expect(await stepOf('2018-01-01T00:00:00Z', '2018-01-04T00:00:00Z')).toBe(24);
  });

  it('with a single row is hourly unless the row starts at midnight; then the step must be given', async () => {
    expect(await stepOf('2018-01-01T05:00:00Z')).toBe(1);
    const file = await rows('2018-01-01T00:00:00Z');
    const failure = await failureOf(file, readCandleHistory);
    expect(failure.message).toContain('could be hourly or daily');
    expect(await readCandleHistory(file, 24)).toMatchObject({ hours: 24, rows: [{ symbol: 'BTCUSD' }] });
  });

  it('is rejected if a row does not start on the hour, or for daily rows, on the day', async () => {
    const quarter = await rows('2018-01-01T00:00:00Z', '2018-01-01T00:15:00Z', '2018-01-01T00:30:00Z');
    expect((await failureOf(quarter, readCandleHistory)).message).toContain(
      'line 3: BTCUSD starts at 2018-01-01T00:15:00.000Z. Expected hourly rows to start at a full hour',
    );
    const days = ['2018-01-01T00:00:00Z', '2018-01-02T00:00:00Z', '2018-01-03T00:00:00Z'];
    const shifted = await rows(...days, '2018-01-04T03:00:00Z');
    expect(await failureOf(shifted, readCandleHistory)).toMatchObject({ line: 5 });
  });
});
