import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AnswerTooLargeError, SourceRefusedError } from '../../../core/ingest/source-errors.ts';
import { createCcxtSource } from '../../../exchanges/ccxt/source.ts';
import { sourceNamed } from '../../../exchanges/source-config.ts';
import { ExchangeServer } from './exchange-server.ts';
import { answer, errorOf, fetchOne, serveEachTest, server, source } from './polling.ts';

const TICKERS = '/api/v3/ticker/24hr';
const GATE_PAIRS = '/api/v4/spot/currency_pairs';

serveEachTest();

/** Both ways to an exchange, and the path that each asks first. */
const WAYS: [way: string, path: string, open: () => ReturnType<typeof source>][] = [
  ['our own client', TICKERS, () => source('binance:spot')],
  ['ccxt', GATE_PAIRS, () => createCcxtSource(sourceNamed('ccxt:gate'), { baseUrl: server.url })],
];
const zipped = (text: Buffer) => ({ headers: { 'content-encoding': 'gzip' }, body: gzipSync(text) });

describe.each(WAYS)('an exchange that attacks %s', (_, path, open) => {
  beforeEach(() => answer('/api/v4/margin/currency_pairs', { body: [] }));

  it.each([
    ['a small answer that unpacks to 200 MB', () => zipped(Buffer.alloc(200_000_000, '['))],
    ['33 MB of spaces around the answer', () => ({ body: Buffer.alloc(34_603_008, ' ') })],
  ])('with %s fails its category, and is read no further', async (_, attack) => {
    answer(path, attack());
    const error = errorOf(await fetchOne(open()));
    expect(error).toBeInstanceOf(AnswerTooLargeError);
    expect(error?.message).toContain('more than 32 MiB; the rest was not read');
  });

  describe('with a redirect', () => {
    const elsewhere = new ExchangeServer();
    beforeEach(() => elsewhere.start());
    afterEach(() => elsewhere.stop());

    it('is told where it leads, and nobody goes there', async () => {
      answer(path, { status: 302, headers: { location: `${elsewhere.url}/latest/meta-data` }, body: '' });
      const error = errorOf(await fetchOne(open()));
      expect(error).toBeInstanceOf(SourceRefusedError);
      expect(error?.message).toContain(
        `a redirect to ${elsewhere.url}/latest/meta-data, which is not followed`,
      );
      expect(elsewhere.asked).toEqual([]);
    });
  });

  it('with commands for a terminal in its message has them made visible', async () => {
    // OSC 52 writes the clipboard; the carriage return hides what was printed before.
    answer(path, { status: 400, body: 'denied \u001b]52;c;cm0gLXJmIH4=\u0007\rall is well \u202e' });
    const message = errorOf(await fetchOne(open()))?.message;
    expect(message).toContain('denied');
    expect(message).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
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

  it('is stored up to what the source is set to', async () => {
    answer(TICKERS, { body: invented.slice(0, 11) });
    expect(errorOf(await fetchOne(source('binance:spot', { maxTickers: 10 })))).toBeDefined();
    expect(errorOf(await fetchOne(source('binance:spot', { maxTickers: 11 })))).toBeUndefined();
  });
});

/** In a process of its own, because nothing is sent to private addresses from then on. */
async function fetchHeldTo(addresses: 'public' | 'any', url: string): Promise<string> {
  const script = `
    const { holdTo } = await import(${JSON.stringify(new URL('../../../exchanges/http/addresses.ts', import.meta.url).href)});
    holdTo(${JSON.stringify(addresses)});
    const outcome = await fetch(${JSON.stringify(url)}).then((answer) => answer.status, (error) => error.cause.message);
    console.log(outcome);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return stdout.trim();
}

describe('a function that is held to public addresses', () => {
  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])('sends nothing to %s', async (host) => {
    answer('/', { body: 'secret' });
    const url = `http://${host}:${new URL(server.url).port}/`;
    expect(await fetchHeldTo('public', url)).toMatch(/its address, .*127\.0\.0\.1, is a private one/);
    expect(server.asked).toEqual([]);
    expect(await fetchHeldTo('any', url)).toBe('200');
  });

  it('refuses a base URL that is not https', async () => {
    const { holdTo } = await import('../../../exchanges/http/addresses.ts');
    expect(() => holdTo('public', 'http://api.example.com')).toThrow('is not https');
    expect(() => holdTo('any', 'http://api.example.com')).not.toThrow();
  });
});
