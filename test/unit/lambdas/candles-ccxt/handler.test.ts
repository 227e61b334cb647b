import { channel } from 'node:diagnostics_channel';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

let handler: (event: unknown, context: Context) => Promise<unknown>;
beforeAll(async () => {
  // It would hold this process to public addresses, and the servers of other files with it.
  const watched = vi.spyOn(channel('undici:client:connected'), 'subscribe').mockReturnValue();
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  vi.stubEnv('LAKE_BUCKET', 'lake');
  ({ handler } = await import('../../../../lambdas/candles-ccxt/handler.ts'));
  expect(watched).toHaveBeenCalledOnce();
  watched.mockRestore();
});
afterAll(() => vi.unstubAllEnvs());

it.each([
  [{ exchange: 'Gate!' }, /id of an exchange/],
  [{ symbols: [] }, /symbols/],
  [{ from: 'yesterday' }, /from/],
  // Lambda's own runtime answers there.
  [{ baseUrl: 'http://127.0.0.1:9001' }, /calls only the hosts of the exchange/],
])('the function that fetches candles through ccxt refuses %j', async (given, message) => {
  const range = { from: '2025-01-01T00:00:00Z', to: '2025-01-02T00:00:00Z' };
  const input = { exchange: 'gate', category: 'spot', symbols: ['BTC_USDT'], ...range, ...given };
  const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
  await expect(handler({ input }, context)).rejects.toThrow(message);
});
