import { type LoopbackServer, serveOnLoopback } from '../core/runtime/loopback-server.ts';

/** A server with Bybit's API whose linear market always has these tickers, and the others none. */
export function serveLinearTickers(list: readonly object[]): Promise<LoopbackServer> {
  const time = Date.parse('2026-01-01T00:00:00Z');
  const answerOf = (category: string | null, list: readonly object[]) =>
    JSON.stringify({ retCode: 0, retMsg: 'OK', result: { category, list }, retExtInfo: {}, time });
  const linear = answerOf('linear', list);
  return serveOnLoopback((request, response) => {
    const category = new URL(request.url ?? '', 'http://exchange').searchParams.get('category');
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(category === 'linear' ? linear : answerOf(category, []));
  }, 0);
}
