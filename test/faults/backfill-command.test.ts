import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { HOUR_MS } from '../../core/market/time.ts';
import { BUCKET } from '../../local/pipeline/resources.ts';
import { startSetup } from '../integration/lambdas/handlers.ts';
import { keysOf } from '../integration/lambdas/stores.ts';
import { clearSummaries, clearTickers, s3, services } from '../integration/services.ts';
import { recordedPayload } from '../samples/recorded-payloads.ts';
import { SYMBOLS, serveCandles } from '../unit/exchanges/candle-server.ts';
import { ExchangeServer } from '../unit/exchanges/exchange-server.ts';

const HOURS = 1_600;
const END_MS = Date.UTC(2025, 0, 1);
/** Prices rise by 1 each hour, so that mixed up hours show. */
const candles = Array.from({ length: HOURS + 1 }, (_, index) => {
  const open = 1_000 + index;
  return {
    startMs: END_MS - (HOURS - index) * HOUR_MS,
    open,
    high: open + 3,
    low: open - 1,
    close: open + 2,
  };
});
/** The mean of the four prices is the opening price plus 1. */
const meanOfLast = (hours: number) => 1_000 + HOURS - hours + (hours - 1) / 2 + 1;
const iso = (ms: number) => new Date(ms).toISOString();
const agoOf = (hours: number) => iso(END_MS - hours * HOUR_MS);

const server = new ExchangeServer();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(inject('runFolder'), 'backfill-'));
  await server.start();
  server.serve({ '/0/public/AssetPairs': recordedPayload('kraken-asset-pairs') });
  serveCandles(server, { candles });
  await clearTickers();
  await clearSummaries();
  await (await startSetup())();
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET })).catch(() => {});
});
afterAll(async () => {
  await server.stop();
  await clearSummaries();
  rmSync(folder, { recursive: true, force: true });
});

function command(name: 'backfill' | 'insights' | 'rebuild', ...args: string[]) {
  const file = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  const places = ['--folder', folder, '--opensearch', services.openSearch, '--s3', services.s3];
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [file, name, ...args, ...places], (error, stdout, stderr) =>
      resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr }),
    );
  });
}

const backfill = (exchange: string, symbol: string, hours: number, ...more: string[]) =>
  command(
    'backfill',
    ...['--exchange', exchange, '--category', 'spot', '--symbols', symbol],
    ...['--from', agoOf(hours), '--to', iso(END_MS), '--source-url', server.url, ...more],
  );

async function average(exchange: string, symbol: string, hours: number) {
  const window = ['--from', agoOf(hours), '--to', iso(END_MS)];
  const { stdout, stderr, code } = await command(
    'insights',
    ...['average', symbol, '--exchange', exchange, ...window, '--json'],
  );
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as { mean: number; hours: number; coverage: number };
}

describe('npm run backfill', () => {
  it.each([
    ['binance', 'binance', SYMBOLS.binance],
    ['okx', 'okx', SYMBOLS.okx],
    ['ccxt:gate', 'gate', SYMBOLS.gate],
  ])('fetches %s, so that questions are answered exactly', async (named, exchange, symbol) => {
    const { code, stdout, stderr } = await backfill(named, symbol, HOURS, '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ read: HOURS, candles: HOURS, hours: HOURS });
    expect(JSON.parse(stdout)).not.toHaveProperty('notes');
    expect(await average(exchange, symbol, HOURS)).toMatchObject({
      mean: expect.closeTo(meanOfLast(HOURS), 6),
      hours: HOURS,
      coverage: 1,
    });
    const again = await backfill(named, symbol, HOURS, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ read: HOURS, candles: 0, moves: 0 });
    expect(await keysOf(BUCKET, `candles/exchange=${exchange}/`)).not.toEqual([]);

    // The lake is enough, even for the currency, which only the exchange's list of markets names.
    await clearSummaries();
    const rebuilt = await command('rebuild', '--from', agoOf(HOURS), '--to', iso(END_MS));
    expect(rebuilt.code, rebuilt.stderr).toBe(0);
    expect(await average(exchange, 'BTC', HOURS)).toMatchObject({
      mean: expect.closeTo(meanOfLast(HOURS), 6),
      hours: HOURS,
    });
  });

  it('reports what Kraken does not keep, and backfills the rest', async () => {
    const { code, stdout, stderr } = await backfill('kraken', SYMBOLS.kraken, HOURS);
    expect(code).toBe(0);
    expect(stderr).toMatch(/! kraken XXBTZUSD: the exchange only serves the last 720 hours, from 2024-12-/);
    expect(stdout).toContain('✔ 719 candles of kraken read (of 1,600 hours), 719 of them new or changed');
    expect(await average('kraken', SYMBOLS.kraken, 719)).toMatchObject({
      mean: expect.closeTo(meanOfLast(719), 6),
      coverage: 1,
    });
  });

  it('reports when an exchange’s candles in ccxt begin, and how it spells a market', async () => {
    const { code, stderr } = await backfill('ccxt:gate', SYMBOLS.gate, HOURS + 1_200);
    expect(code).toBe(0);
    expect(stderr).toContain(`! gate BTC_USDT: the exchange has no candles before ${agoOf(HOURS)}.`);
    const unified = await backfill('ccxt:gate', 'BTC/USDT', 2);
    expect(unified.code).toBe(2);
    expect(unified.stderr).toContain('its tickers call BTC/USDT BTC_USDT; use that name');
  });

  it('loads files as they are downloaded, so that questions are answered exactly', async () => {
    const file = (name: string) =>
      fileURLToPath(new URL(`../fixtures/history-files/${name}`, import.meta.url));
    const load = (name: string, ...more: string[]) =>
      command('backfill', '--file', file(name), '--exchange', 'mine', '--category', 'spot', ...more);
    const mean = async (symbol: string, from: string, to: string) => {
      const asked = ['average', symbol, '--exchange', 'mine', '--from', from, '--to', to, '--json'];
      const { stdout, stderr, code } = await command('insights', ...asked);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    };
    const binance = await load('BTCUSDT-1h-2025-01.zip');
    expect(binance.stderr).toMatch(
      /BTCUSDT-1h-2025-01\.csv\): Binance public data, 3 rows of BTCUSDT\n {2}hourly: BTCUSDT/,
    );
    expect(binance.stdout).toContain('✔ 3 candles of mine read, 3 of them new or changed');
    expect(await mean('BTCUSDT', '2025-01-01', '2025-01-01T03:00')).toMatchObject({ mean: 102, coverage: 1 });

    const kraken = await load('XBTUSD_60.csv', '--json');
    expect(JSON.parse(kraken.stdout)).toMatchObject({
      ...{ read: 5, candles: 5 },
      files: [{ format: 'kraken', rows: 5, withoutPrice: 0, symbols: ['XBTUSD'] }],
    });
    // The hours 0, 1, 4, 5 and 6 of 7.
    expect(await mean('XBTUSD', '2024-01-01', '2024-01-01T07:00')).toMatchObject({ mean: 104.2, hours: 5 });

    const minutes = await load('bitstampUSD_1-min_data.csv');
    expect(minutes.stderr).toMatch(/! .*12 rows without a price: left out/);
    const keys = await keysOf(BUCKET, 'candles/exchange=mine/');
    const refused = await load('zero-width-space.csv');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('line 4: the symbol is "ETH\\u{200b}USD"');
    expect(await keysOf(BUCKET, 'candles/exchange=mine/')).toEqual(keys);
  });

  it('takes back what a run wrote, and nothing else', async () => {
    const runOf = async (hours: number) => {
      const { stdout, stderr } = await backfill('bybit', SYMBOLS.bybit, hours, '--json');
      expect(stdout, stderr).not.toBe('');
      return JSON.parse(stdout).run as string;
    };
    const undo = async (run: string) => {
      const { stdout, stderr, code } = await command('backfill', '--undo', run, '--json');
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    };
    const keys = () => keysOf(BUCKET, 'candles/exchange=bybit/');
    const first = await runOf(100);
    const kept = await keys();
    const again = await runOf(60);
    expect(again).not.toBe(first);
    expect(await undo(again)).toMatchObject({ run: again, removed: 0, objects: 1, problems: [] });
    expect(await keys()).toEqual(kept);
    expect(await average('bybit', SYMBOLS.bybit, 100)).toMatchObject({
      mean: expect.closeTo(meanOfLast(100), 6),
      hours: 100,
    });

    expect(await undo(first)).toMatchObject({ removed: 100, objects: 1, problems: [] });
    expect(await keys()).toEqual([]);
    const { stderr, code } = await command('insights', 'average', SYMBOLS.bybit, '--exchange', 'bybit');
    expect(code, stderr).toBe(1);
    const unknown = await command('backfill', '--undo', first);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain(`The lake has nothing from a backfill named ${first}.`);
  });

  it.each([
    [
      ['--exchange', 'CryptoDataDownload', '--category', 'spot'],
      'expected lower-case letters, digits and dashes',
    ],
    [['--exchange', 'kraken', '--category', 'linear'], 'kraken has no linear candles; it has spot'],
    [['--exchange', 'mtgox', '--category', 'spot'], 'the history of mtgox cannot be fetched; choose bybit,'],
    [['--exchange', 'ccxt:mtgox', '--category', 'spot'], 'ccxt has no exchange "mtgox"'],
  ])('refuses %j with a reason', async (args, message) => {
    const { code, stderr } = await command('backfill', ...args, '--symbols', 'X', '--from', '2d');
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
