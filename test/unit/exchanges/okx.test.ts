import { beforeEach, describe, expect, it } from 'vitest';
import { recordedPayload } from '../../samples/recorded-payloads.ts';
import { answer, errorOf, fetchAll, fetchOne, serveEachTest, server, source, tickersOf } from './polling.ts';

serveEachTest();

describe('OKX', () => {
  const swaps = '/api/v5/market/tickers?instType=SWAP';
  beforeEach(() =>
    server.serve({
      '/api/v5/market/tickers?instType=SPOT': recordedPayload('okx-tickers'),
      [swaps]: recordedPayload('okx-tickers-swap'),
    }),
  );

  it('requests linear and inverse swaps together', async () => {
    const outcomes = await fetchAll(source('okx'));
    expect(outcomes.map((outcome) => tickersOf(outcome).map(({ symbol }) => symbol))).toEqual([
      ['ETH-BTC'],
      ['BTC-USDT-SWAP'],
      ['LTC-USD-SWAP'],
    ]);
    const tickers = server.paths().filter((path) => path.startsWith('/api/v5/market/tickers'));
    expect(tickers.sort()).toEqual(['/api/v5/market/tickers?instType=SPOT', swaps]);
  });

  it.each([200, 429])('waits after code 50011 (status %d)', async (status) => {
    const good = recordedPayload('okx-tickers-swap');
    answer(swaps, { status, body: { code: '50011', msg: 'Too Many Requests', data: [] } }, { body: good });
    expect(errorOf(await fetchOne(source('okx:linear'), Date.now() + 500))?.name).toBe('RateLimitedError');
  });

  it.each(['50001', '50013', '50026'])('is called again after code %s', async (code) => {
    const good = recordedPayload('okx-tickers-swap');
    answer(swaps, { body: { code, msg: 'busy', data: [] } }, { body: good });
    expect(tickersOf(await fetchOne(source('okx:linear')))).toHaveLength(1);
  });

  it('takes any other code as a refusal', async () => {
    answer(swaps, { status: 400, body: { code: '51000', msg: 'Parameter instType error' } });
    expect(errorOf(await fetchOne(source('okx:linear')))).toMatchObject({ name: 'SourceRefusedError' });
    answer(swaps, { body: { code: '51000', msg: 'Parameter instType error', data: [] } });
    expect(errorOf(await fetchOne(source('okx:linear')))?.message).toContain('code 51000: Parameter');
  });

  it('counts USD-margined swaps as linear, and rejects a swap without a name once', async () => {
    const payload = recordedPayload<{ data: Record<string, unknown>[] }>('okx-tickers-swap');
    payload.data = [
      { ...payload.data[0], instId: 'BTC-USD_UM-SWAP' },
      { ...payload.data[0], instId: undefined },
    ];
    answer(swaps, { body: payload });
    const [linear, inverse] = await fetchAll(source('okx:linear,inverse'));
    expect(tickersOf(linear)).toMatchObject([{ base: 'BTC', quote: 'USD', category: 'linear' }]);
    expect(linear && 'batch' in linear && linear.batch.rejected).toHaveLength(1);
    expect(inverse).toMatchObject({ batch: { tickers: [], rejected: [] } });
  });
});
