import { beforeEach, describe, expect, it } from 'vitest';
import { recordedPayload } from '../../samples/recorded-payloads.ts';
import { answer, errorOf, fetchOne, serveEachTest, server, source, tickersOf } from './polling.ts';

serveEachTest();

describe('Kraken', () => {
  const path = '/0/public/Ticker';
  const good = () => recordedPayload('kraken-ticker');
  beforeEach(() =>
    server.serve({ [path]: good(), '/0/public/AssetPairs': recordedPayload('kraken-asset-pairs') }),
  );

  it('splits the symbol if the list of pairs is unavailable', async () => {
    const [entry] = Object.values(recordedPayload<{ result: object }>('kraken-ticker').result);
    const symbols = ['XXBTZUSD', 'XETHXXBT', 'ADAUSD', 'XDGUSD', 'SOLUSDT', 'WHAT'];
    answer(path, { body: { error: [], result: Object.fromEntries(symbols.map((each) => [each, entry])) } });
    server.answers.delete('/0/public/AssetPairs');
    const pairs = tickersOf(await fetchOne(source('kraken'))).map(({ base, quote }) => `${base}/${quote}`);
    expect(pairs).toEqual(['BTC/USD', 'ETH/BTC', 'ADA/USD', 'DOGE/USD', 'SOL/USDT', 'undefined/undefined']);
  });

  it.each(['EAPI:Rate limit exceeded', 'EGeneral:Too many requests', 'EService:Throttled: 9999999999'])(
    'is not called again soon after "%s"',
    async (error) => {
      answer(path, { body: { error: [error] } });
      const warm = source('kraken');
      expect(errorOf(await fetchOne(warm, Date.now() + 1_000))).toMatchObject({ name: 'RateLimitedError' });
      expect(server.paths().filter((each) => each === path)).toHaveLength(1);
    },
  );

  it.each(['EService:Unavailable', 'EService:Busy', 'EGeneral:Internal error'])(
    'is called again after "%s"',
    async (error) => {
      answer(path, { body: { error: [error] } }, { body: good() });
      expect(tickersOf(await fetchOne(source('kraken')))).toHaveLength(1);
    },
  );

  it('takes any other error as a refusal, and ignores warnings', async () => {
    answer(path, { body: { error: ['EQuery:Unknown asset pair'] } });
    expect(errorOf(await fetchOne(source('kraken')))).toMatchObject({
      name: 'SourceRefusedError',
      message: expect.stringContaining('EQuery:Unknown asset pair'),
    });
    answer(path, { body: { ...(good() as object), error: ['WGeneral:Danger'] } });
    expect(tickersOf(await fetchOne(source('kraken')))).toHaveLength(1);
  });

  it('rejects a pair whose fields are not arrays', async () => {
    answer(path, { body: { error: [], result: { A: null, B: { c: 5 }, C: { c: ['1', '2'] } } } });
    const outcome = await fetchOne(source('kraken'));
    expect(tickersOf(outcome)).toMatchObject([{ symbol: 'C', last_price: 1 }]);
    expect('batch' in outcome && outcome.batch.rejected.map(({ reason, value }) => [reason, value])).toEqual([
      ['expected an object, got null', { A: null }],
      ['c[0]: a price above 0 is required, got nothing', { B: { c: 5 } }],
    ]);
  });
});
