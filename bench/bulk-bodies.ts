import { tickerIndexOf } from '../core/market/index-names.ts';
import { type Ticker, tickerId } from '../core/market/ticker.ts';

/** The adapter's limit per request. */
const A_REQUEST_BYTES = 5 * 1024 * 1024;

/** Bulk requests that create the tickers, as large as the adapter's. @param index @default each ticker's own index */
export function bulkBodies(tickers: readonly Ticker[], index?: string): Buffer[] {
  const bodies: Buffer[] = [];
  let lines: string[] = [];
  let bytes = 0;
  const end = () => {
    bodies.push(Buffer.from(lines.join('')));
    [lines, bytes] = [[], 0];
  };
  for (const ticker of tickers) {
    const action = { create: { _index: index ?? tickerIndexOf(ticker.slot), _id: tickerId(ticker) } };
    const line = `${JSON.stringify(action)}\n${JSON.stringify(ticker)}\n`;
    const size = Buffer.byteLength(line);
    if (lines.length > 0 && bytes + size > A_REQUEST_BYTES) end();
    lines.push(line);
    bytes += size;
  }
  if (lines.length > 0) end();
  return bodies;
}
