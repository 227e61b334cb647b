import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { FormatName } from '../../../../local/history-files/formats.ts';
import { fixture, read, temporaryFiles, zipOf } from './files.ts';

const write = temporaryFiles();
const at = (iso: string) => Date.parse(iso);

describe('a file as it is downloaded', () => {
  it.each<[string, FormatName, string, 1 | 24, string[]]>([
    ['BTCUSDT-1h-2025-01.csv', 'binance', 'BTCUSDT', 1, ['2025-01-01T00', '2025-01-01T01', '2025-01-01T02']],
    ['BTCUSDT-1h-2025-01.zip', 'binance', 'BTCUSDT', 1, ['2025-01-01T00', '2025-01-01T01', '2025-01-01T02']],
    ['BTCUSDT-1h-2024-12.csv', 'binance', 'BTCUSDT', 1, ['2024-12-01T00', '2024-12-01T01', '2024-12-01T02']],
    [
      'XBTUSD_60.csv',
      'kraken',
      'XBTUSD',
      1,
      ['2024-01-01T00', '2024-01-01T01', '2024-01-01T04', '2024-01-01T05', '2024-01-01T06'],
    ],
    [
      'Bitstamp_BTCUSD_1h.csv',
      'cryptodatadownload',
      'BTC/USD',
      1,
      ['2024-01-01T00', '2024-01-01T01', '2024-01-01T02'],
    ],
    ['BTC-USD.csv', 'yahoo', 'BTC-USD', 24, ['2024-01-01T00', '2024-01-02T00', '2024-01-04T00']],
    [
      'Bitcoin_historical_data_coinmarketcap.csv',
      'coinmarketcap',
      'BTCUSD',
      24,
      ['2024-12-29T00', '2024-12-30T00', '2024-12-31T00'],
    ],
    ['btc-usd-max.csv', 'coingecko', 'BTCUSD', 24, ['2024-01-01T00', '2024-01-02T00', '2024-01-03T00']],
    [
      'BINANCE_BTCUSDT, 60.csv',
      'tradingview',
      'BTCUSDT',
      1,
      ['2024-01-01T00', '2024-01-01T01', '2024-01-01T02'],
    ],
    ['bitstampUSD_1-min_data.csv', 'kaggle', 'BTCUSD', 1, ['2012-01-01T00', '2012-01-01T01']],
    ['coinbase-BTCUSD.csv', 'coinbase', 'BTCUSD', 1, ['2024-01-01T00', '2024-01-01T01', '2024-01-01T02']],
    ['gemini_BTCUSD_2024_1min.csv', 'gemini', 'BTCUSD', 1, ['2024-01-01T00']],
    ['prices.jsonl', 'table', 'BTCUSD', 1, ['2024-01-01T00', '2024-01-01T01', '2024-01-01T02']],
  ])('%s is recognised as %s', async (name, format, symbol, hours, starts) => {
    const { files, candles, total } = await read(fixture(name));
    expect(files).toMatchObject([{ format, symbols: [symbol] }]);
    expect(candles.map((candle) => [candle.symbol, candle.hours, candle.startMs])).toEqual(
      starts.map((start) => [symbol, hours, at(`${start}:00Z`)]),
    );
    expect(total).toBe(candles.length);
  });

  it('distinguishes volume and turnover', async () => {
    const firstOf = async (name: string) => (await read(fixture(name))).candles[0];
    expect(await firstOf('BTCUSDT-1h-2025-01.zip')).toMatchObject({ open: 100, volume: 10, turnover: 1_020 });
    expect(await firstOf('Bitstamp_BTCUSD_1h.csv')).toMatchObject({
      ...{ volume: 10, turnover: 1_020 },
      ...{ base: 'BTC', quote: 'USD' },
    });
    const [yahoo, coinMarketCap] = [await firstOf('BTC-USD.csv'), await firstOf(CMC)];
    for (const dollars of [yahoo, coinMarketCap]) expect(dollars).not.toHaveProperty('volume');
    expect([yahoo?.turnover, coinMarketCap?.turnover]).toEqual([1_000, 1_029.5]);
    const coinGecko = await firstOf('btc-usd-max.csv');
    expect(coinGecko).toMatchObject({ open: 101.5, high: 101.5, low: 101.5, close: 101.5 });
    expect(coinGecko).not.toHaveProperty('turnover');
  });
  const CMC = 'Bitcoin_historical_data_coinmarketcap.csv';

  it('leaves out rows without a price and counts them, and takes the last of two last days of Yahoo', async () => {
    const { candles, notes, files } = await read(fixture('BTC-USD.csv'));
    expect(files[0]).toMatchObject({ rows: 5, withoutPrice: 1 });
    expect(notes).toEqual([
      `${fixture('BTC-USD.csv')}: 1 row without a price: left out`,
      'the last day is there twice: its last row counts',
    ]);
    expect(candles.at(-1)).toMatchObject({ high: 107, close: 106.5 });
  });

  it('adds minutes up to hours whose path has every turn of the price', async () => {
    const { candles } = await read(fixture('gemini_BTCUSD_2024_1min.csv'));
    expect(candles).toEqual([
      {
        ...{ symbol: 'BTCUSD', hours: 1, startMs: at('2024-01-01') },
        ...{ open: 100, high: 105, low: 99, close: 104, volume: 6 },
        path: [
          ...[
            [0, 100],
            [20_000, 99],
            [40_000, 103],
          ],
          ...[
            [80_000, 100],
            [100_000, 104],
          ],
          ...[
            [140_000, 101],
            [160_000, 105],
            [179_000, 104],
          ],
        ],
      },
    ]);
  });

  it('can be several files, a folder, or a pattern, of different formats', async () => {
    const pattern = fixture('BTCUSDT-1h-*.csv');
    const { files, candles } = await read([pattern, fixture('BTCUSDT-1h-2025-01.zip')]);
    expect(files).toHaveLength(3);
    expect(candles).toHaveLength(6);
  });

  it('gets its symbol and quote currency from the options, if it does not say them', async () => {
    const rows = [1, 2].map((hour) => `2024-01-01 0${hour}:00:00,1,2,1,2,5`);
    const file = write('x.csv', ['date,open,high,low,close,volume', ...rows].join('\n'));
    await expect(read(file)).rejects.toThrow(/does not say which symbol it is.*--symbol/);
    const { candles } = await read(file, { symbol: 'FOO-EUR', quote: 'EUR' });
    expect(candles[0]).toMatchObject({ symbol: 'FOO-EUR', base: 'FOO', quote: 'EUR' });
  });

  it('is of the format that is named, if its shape could be two', async () => {
    const file = write('x.csv', '1704067200,1,1,1,1,5\n1704070800,1,1,1,1,6\n');
    await expect(read(file, { symbol: 'A' })).rejects.toThrow(
      /could be Kraken OHLCVT or a Coinbase table.*--format/,
    );
    const { candles } = await read(file, { symbol: 'A', format: 'coinbase' });
    expect(candles).toHaveLength(2);
    await expect(read(file, { symbol: 'A', format: 'binance' })).rejects.toThrow(
      /a row of 6 values without a header is not Binance public data/,
    );
  });

  it('is read from Parquet', async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const file = write('x.parquet', '');
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`COPY (
      SELECT TIMESTAMP '2024-01-01' + INTERVAL (i) HOUR AS time, 'BTCUSD' AS symbol,
        0.1 + i AS open, 3.0 + i AS high, 0.1::DOUBLE AS low, 1.0 + i AS close, 7 AS volume
      FROM range(3) AS hours(i)) TO '${file}' (FORMAT parquet)`);
    connection.closeSync();
    const { candles, files } = await read(file);
    expect(files[0]?.title).toContain('Parquet');
    expect(candles[2]).toEqual({
      ...{ symbol: 'BTCUSD', hours: 1, startMs: at('2024-01-01T02:00Z') },
      ...{ open: 2.1, high: 5, low: 0.1, close: 3, volume: 7 },
    });
  });
});

describe('the step', () => {
  it('is each symbol’s own', async () => {
    const { symbols } = await read(fixture('mixed-steps.csv'));
    expect(symbols.map(({ symbol, stepMs }) => [symbol, stepMs / 3_600_000])).toEqual([
      ['BTCUSD', 1],
      ['ETHUSD', 24],
    ]);
  });

  it.each([
    ['four-hour.csv', /four-hour.csv, line 2: BTCUSD is 4-hour\. Only hourly and daily rows/],
    ['XBTUSD_240.csv', /XBTUSD_240.csv, line 1: XBTUSD is 4-hour/],
  ])('of %s is refused by name', async (name, message) => {
    await expect(read(fixture(name))).rejects.toThrow(message);
  });
});

describe('a file that is damaged', () => {
  const text = `start,symbol,open,high,low,close,volume\n${'2024-01-01T00:00:00Z,A,1,2,1,2,5\n'.repeat(50)}`;
  it.each([
    [
      'cut.csv.gz',
      gzipSync(text).subarray(0, -9),
      /cut\.csv\.gz: it cannot be unpacked: .*Download it again/,
    ],
    [
      'cut.zip',
      zipOf('a.csv', text).subarray(0, -60),
      /cut\.zip: it cannot be unpacked: the archive is cut off/,
    ],
    ['flipped.zip', flipped(zipOf('a.csv', text)), /flipped\.zip \(a\.csv\): it cannot be unpacked/],
    ['book.xlsx', zipOf('[Content_Types].xml', '<x/>'), /Excel workbook\. Save the sheet as CSV/],
    ['x.7z', Buffer.from('377abcaf271c0004', 'hex'), /it is a 7z file\. Unpack it/],
    ['empty.csv', '', /empty\.csv: the file is empty/],
    ['page.csv', '<!DOCTYPE html><html>', /page\.csv, line 1: "<!DOCTYPE html><html>" is neither a header/],
  ])('%s is refused', async (name, content, message) => {
    await expect(read(write(name, content))).rejects.toThrow(message);
  });

  it('is refused for the row that is wrong, though a column that is not read has no text in it', async () => {
    const text = 'time,symbol,open,high,low,close,note\n2024-01-01T00:00:00Z,A,1x,2,1,2,\xff\n';
    await expect(read(write('note.csv', Buffer.from(text, 'latin1')))).rejects.toThrow(
      'note.csv, line 2: open is "1x". Expected a price',
    );
  });

  it('is named if it does not exist', async () => {
    await expect(read('/nowhere/at-all.csv')).rejects.toThrow('/nowhere/at-all.csv: there is no such file');
  });
});

function flipped(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  copy.writeUInt8((copy[45] ?? 0) ^ 0xff, 45);
  return copy;
}
