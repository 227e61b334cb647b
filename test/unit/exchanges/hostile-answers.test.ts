import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TickerSource } from '../../../core/ingest/ports.ts';
import {
  AnswerTooLargeError,
  SourceRefusedError,
  SourceUnavailableError,
} from '../../../core/ingest/source-errors.ts';
import type { RejectedTicker } from '../../../core/market/ticker.ts';
import { createCcxtSource } from '../../../exchanges/ccxt/source.ts';
import { holdTo, isPrivate } from '../../../exchanges/http/addresses.ts';
import { fetchAnswer } from '../../../exchanges/http/fetch-answer.ts';
import { createSource } from '../../../exchanges/http/ticker-source.ts';
import { sourceNamed } from '../../../exchanges/source-config.ts';
import { ExchangeServer, type ServedAnswer } from './exchange-server.ts';
import { answer, errorOf, fetchOne, serveEachTest, server, source } from './polling.ts';

const TICKERS = '/api/v3/ticker/24hr';
const GATE_PAIRS = '/api/v4/spot/currency_pairs';

serveEachTest();

/** Both ways to an exchange, and the path that each asks first. */
const WAYS: [way: string, path: string, open: (baseUrl?: string) => TickerSource][] = [
  [
    'our own client',
    TICKERS,
    (baseUrl = server.url) => createSource(sourceNamed('binance:spot'), { baseUrl }),
  ],
  ['ccxt', GATE_PAIRS, (baseUrl = server.url) => createCcxtSource(sourceNamed('ccxt:gate'), { baseUrl })],
];
const packed = (encoding: string, body: Buffer) => ({ headers: { 'content-encoding': encoding }, body });
const bomb = Buffer.alloc(40_000_000, ' ');
const LARGE: [title: string, tooMany: string, attack: () => ServedAnswer][] = [
  ['a gzip that unpacks to 40 MB', '32 MiB', () => packed('gzip', gzipSync(bomb))],
  // Parsed, these took 970 and 1,280 MB.
  ['11 million empty lists', 'values', () => ({ body: `[${'[],'.repeat(11_000_000)}0]` })],
];

describe.each(WAYS)('an exchange that attacks %s', (_, path, open) => {
  beforeEach(() => answer('/api/v4/margin/currency_pairs', { body: [] }));

  it.each(LARGE)('with %s fails its category, and is read no further', async (_, tooMany, attack) => {
    answer(path, attack());
    const error = errorOf(await fetchOne(open()));
    expect(error).toBeInstanceOf(AnswerTooLargeError);
    expect(error?.message).toMatch(new RegExp(`more than .*${tooMany}; the rest was not read`));
  });

  it('with an answer that never ends fails its category in time', async () => {
    const dripping = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    dripping.listen(0, '127.0.0.1');
    await once(dripping, 'listening');
    try {
      const { port } = dripping.address() as AddressInfo;
      const outcome = await fetchOne(open(`http://127.0.0.1:${port}`), Date.now() + 1_000);
      expect(errorOf(outcome)).toBeInstanceOf(SourceUnavailableError);
    } finally {
      dripping.closeAllConnections();
      dripping.close();
    }
  });

  describe('with a redirect', () => {
    const elsewhere = new ExchangeServer();
    beforeEach(() => elsewhere.start());
    afterEach(() => elsewhere.stop());

    it.each([301, 302, 303, 307, 308])('%i is reported with its target, and not followed', async (status) => {
      answer(path, { status, headers: { location: `${elsewhere.url}/latest/meta-data` }, body: '' });
      const error = errorOf(await fetchOne(open()));
      expect(error).toBeInstanceOf(SourceRefusedError);
      expect(error?.message).toContain(
        `a redirect to ${elsewhere.url}/latest/meta-data, which is not followed`,
      );
      expect(elsewhere.asked).toEqual([]);
    });
  });

  it('with commands for a terminal in its message has them made visible', async () => {
    // OSC 52 writes the clipboard, also in one byte; the carriage return hides what was printed before.
    const commands = '\u001b]52;c;cm0gLXJmIH4=\u0007\u009d52;c;cm0gLXJmIH4=\u009c\rall is well \u202e';
    const bodies = [
      { status: 400, body: `denied ${commands}\n\u2028poll 9  lag 0` },
      {
        status: 400,
        body: {
          code: -1121,
          label: 'INVALID',
          msg: `denied ${commands}`,
          message: `denied ${commands}\n\nfine`,
        },
      },
    ];
    for (const body of bodies) {
      answer(path, body);
      const message = errorOf(await fetchOne(open()))?.message;
      expect(message).toContain('denied');
      expect(message).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
    }
  });
});

// What both ways read answers with.
describe('an answer', () => {
  it.each<[title: string, tooMany: string, attack: () => ServedAnswer]>([
    ['a gzip in a gzip', '32 MiB', () => packed('gzip, gzip', gzipSync(gzipSync(bomb)))],
    [
      'a brotli that unpacks to 40 MB',
      '32 MiB',
      () => packed('br', brotliCompressSync(bomb, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })),
    ],
    ['a zstd that unpacks to 40 MB', '32 MiB', () => packed('zstd', zstdCompressSync(bomb))],
    ['33 MB of spaces around the answer', '32 MiB', () => ({ body: Buffer.alloc(34_603_008, ' ') })],
    ['11 million empty objects', 'values', () => ({ body: `[${'{},'.repeat(11_000_000)}0]` })],
  ])('with %s is read no further', async (_, tooMany, attack) => {
    answer('/', attack());
    const response = await fetchAnswer(`${server.url}/`);
    const error = await response.arrayBuffer().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AnswerTooLargeError);
    expect((error as Error).message).toMatch(new RegExp(`more than .*${tooMany}; the rest was not read`));
  });
});

describe('an exchange that invents markets', () => {
  const invented = Array.from({ length: 20_001 }, (_, index) => ({ symbol: `X${index}`, lastPrice: '1' }));

  it('fails its category above 20,000 tickers', async () => {
    answer(TICKERS, { body: invented });
    const error = errorOf(await fetchOne(source('binance:spot')));
    expect(error).toBeInstanceOf(AnswerTooLargeError);
    expect(error?.message).toContain("20001 tickers, more than the source's maxTickers, 20000");
  });

  it('has those rejected whose name is more than a name, and keeps every real one', async () => {
    const hostile = [
      '=cmd|\u2019/C calc\u2019!A0',
      '<script>alert(1)</script>',
      'BTC"onload="x',
      'BTC\u009b2J',
      'BTC\u001b]52;c;eA==\u0007',
      'BTC\u202eTDSU',
      'BTC\\u001b',
      'BTC`id`',
      'BTC;=1+1',
      'BTC\u200bUSDT',
      '＝1+1',
      'B'.repeat(101),
    ];
    const real = [
      ...[
        '1000SATSUSDT',
        '币安人生USDT',
        '.BXBT',
        'tDOGE:USD',
        'BTC-30DEC22-18000-C',
        'BTC/USDT:USDT',
        '@107',
      ],
      ...[
        '#12',
        '$NAPUSDT',
        'BTC+USDT',
        'GAL(FT)_USDT',
        'S&P500',
        'Ⓑ2',
        'ÑANDU',
        'क्षUSDT',
        '🐂USDT',
        'kPEPE',
        'XBT.M',
      ],
      'BUFFI,UNISWAP_V3,0X4C1B1302220D7DE5C22B495E78B72F2DD2457D45-USD',
    ];
    answer(TICKERS, { body: [...hostile, ...real].map((symbol) => ({ symbol, lastPrice: '1' })) });
    const outcome = await fetchOne(source('binance:spot'));
    const { tickers, rejected } = 'batch' in outcome ? outcome.batch : { tickers: [], rejected: [] };
    expect(tickers.map(({ symbol }) => symbol)).toEqual(real);
    expect(rejected).toHaveLength(hostile.length);
    for (const { reason } of rejected as RejectedTicker[]) {
      expect(reason).toMatch(/^symbol: /);
      expect(reason).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    }
  });

  it('is stored up to what the source is set to', async () => {
    answer(TICKERS, { body: invented.slice(0, 11) });
    expect(errorOf(await fetchOne(source('binance:spot', { maxTickers: 10 })))).toBeDefined();
    expect(errorOf(await fetchOne(source('binance:spot', { maxTickers: 11 })))).toBeUndefined();
  });
});

/** In a process of its own, because nothing is sent to private addresses from then on. */
async function fetchHeldTo(addresses: 'public' | 'any', urls: readonly string[]): Promise<string[]> {
  const script = `
    const { holdTo } = await import(${JSON.stringify(new URL('../../../exchanges/http/addresses.ts', import.meta.url).href)});
    holdTo(${JSON.stringify(addresses)});
    const outcome = (url) => fetch(url).then((answer) => answer.status, (error) => error.cause.message);
    console.log(JSON.stringify(await Promise.all(${JSON.stringify(urls)}.map(outcome))));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout);
}

describe('a function that is held to public addresses', () => {
  it.each([
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '100.100.100.200',
      '127.8.8.8',
      '169.254.169.254',
      '172.31.0.2',
      '192.168.1.1',
    ],
    ...[
      '192.0.0.192',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:10.0.0.1',
      '::ffff:a9fe:a9fe',
    ],
    ...[
      '::7f00:1',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b:1::a00:1',
      '2002:7f00:1::',
      '2001:0:7f00:1::',
      'fd00:ec2::254',
    ],
    ...['fe80::1', 'fec0::1', 'ff02::1'],
  ])('knows %s as an address of a network', (address) => expect(isPrivate(address)).toBe(true));

  it.each(['1.1.1.1', '104.18.32.1', '2606:4700::6810:1', '2400:cb00::1', '::ffff:1.1.1.1'])(
    'knows %s as an address of the internet',
    (address) => expect(isPrivate(address)).toBe(false),
  );

  it('sends nothing to this machine, however its address is spelled', async () => {
    answer('/', { body: 'secret' });
    const { port } = new URL(server.url);
    const hosts = [
      '127.0.0.1',
      'localhost',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
      '2130706433',
      '0x7f.1',
      '0177.1',
    ];
    const urls = hosts.map((host) => `http://${host}:${port}/`);
    for (const outcome of await fetchHeldTo('public', urls)) {
      expect(outcome).toMatch(/its address, .*(127|0)\.0\.0\.[01], is a private one/);
    }
    expect(server.asked).toEqual([]);
    expect(await fetchHeldTo('any', urls)).toEqual(hosts.map(() => 200));
  });

  it('refuses a base URL that is not https', () => {
    expect(() => holdTo('public', 'http://api.example.com')).toThrow('is not https');
    expect(() => holdTo('any', 'http://api.example.com')).not.toThrow();
  });
});
