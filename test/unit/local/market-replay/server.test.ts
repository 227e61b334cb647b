import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoopbackServer } from '../../../../core/runtime/loopback-server.ts';
import { ReplayMarket } from '../../../../local/market-replay/replay-market.ts';
import { startMarketReplay } from '../../../../local/market-replay/server.ts';

const HOUR = 3_600_000;
const START = Date.parse('2018-07-01T00:00:00Z');

const market = new ReplayMarket(
  ['BTCUSD', 'ETHUSD'].flatMap((symbol) =>
    Array.from({ length: symbol === 'BTCUSD' ? 30 : 2 }, (_, hour) => ({
      startMs: START + hour * HOUR,
      symbol,
      open: 10,
      high: 14,
      low: 9,
      close: 12,
      volume: 3,
    })),
  ),
);

let now: number;
let replay: LoopbackServer;
beforeEach(async () => {
  now = START + 26 * HOUR;
  replay = await startMarketReplay({ market, clock: () => now });
});
afterEach(async () => {
  await replay.close();
});

/** The list holds objects (tickers) or tuples (candles). */
interface Envelope {
  retCode: number;
  retMsg: string;
  result: { category?: string; symbol?: string; list?: (Record<string, string> & Iterable<string>)[] };
  retExtInfo: object;
  time: number;
}

async function get(pathAndQuery: string): Promise<Envelope> {
  const response = await fetch(`${replay.url}${pathAndQuery}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Envelope;
}

async function recorded(name: string): Promise<Envelope> {
  const file = new URL(`../../../fixtures/exchange-payloads/${name}`, import.meta.url);
  return JSON.parse(await readFile(file, 'utf8')) as Envelope;
}

/** The shape of a value: the names in their order, and the types. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([name, field]) => [name, shapeOf(field)]);
}

describe('the tickers of the market replay', () => {
  it('have exactly the envelope that Bybit sends', async () => {
    const answer = await get('/v5/market/tickers?category=spot');
    expect(shapeOf(answer)).toEqual(shapeOf(await recorded('bybit-v5-spot.json')));
    expect(answer).toMatchObject({ retCode: 0, retMsg: 'OK', time: now });
  });

  it('follow the clock', async () => {
    now = START + 40 * 60_000;
    const answer = await get('/v5/market/tickers?category=spot');
    expect(answer.time).toBe(now);
    expect(answer.result.list?.map(({ symbol, lastPrice }) => [symbol, lastPrice])).toEqual([
      ['BTCUSD', '14'],
      ['ETHUSD', '14'],
    ]);
  });

  it('can be requested for one symbol, which may have none at the moment', async () => {
    const listOf = async (symbol: string): Promise<unknown[] | undefined> =>
      (await get(`/v5/market/tickers?category=spot&symbol=${symbol}`)).result.list;
    expect(await listOf('BTCUSD')).toHaveLength(1);
    expect(await listOf('ETHUSD')).toEqual([]);
  });

  it('are an empty list in categories without history', async () => {
    for (const category of ['linear', 'inverse', 'option']) {
      expect(await get(`/v5/market/tickers?category=${category}`)).toMatchObject({
        retCode: 0,
        result: { category, list: [] },
      });
    }
  });
});

describe('the candles of the market replay', () => {
  it('have exactly the envelope that Bybit sends, newest first', async () => {
    const answer = await get('/v5/market/kline?category=spot&symbol=BTCUSD&interval=60&limit=2');
    expect(shapeOf(answer)).toEqual(shapeOf(await recorded('bybit-v5-kline.json')));
    expect(answer.result.list?.map(([start]) => Number(start))).toEqual([
      START + 25 * HOUR,
      START + 24 * HOUR,
    ]);
  });

  it('can be limited to a range of starts', async () => {
    const range = `start=${START + HOUR}&end=${START + 3 * HOUR}`;
    const answer = await get(`/v5/market/kline?category=spot&symbol=BTCUSD&interval=60&${range}`);
    expect(answer.result.list?.map(([start]) => (Number(start) - START) / HOUR)).toEqual([3, 2, 1]);
  });

  it('are an empty list in categories without history', async () => {
    const answer = await get('/v5/market/kline?category=linear&symbol=BTCUSDT&interval=60');
    expect(answer).toMatchObject({ retCode: 0, result: { symbol: 'BTCUSDT', category: 'linear', list: [] } });
  });
});

describe('a request that Bybit would reject', () => {
  it.each([
    ['/v5/market/tickers', 'unknown category "", expected spot'],
    ['/v5/market/tickers?category=shares', 'unknown category "shares", expected spot'],
    ['/v5/market/tickers?category=spot&symbol=DOGEUSD', 'symbol invalid: "DOGEUSD", expected BTCUSD, ETHUSD'],
    ['/v5/market/kline?category=spot&interval=60', 'symbol is missing'],
    ['/v5/market/kline?category=spot&symbol=DOGEUSD&interval=60', 'symbol invalid'],
    ['/v5/market/kline?category=option&symbol=BTCUSD&interval=60', 'category "option"'],
    ['/v5/market/kline?category=spot&symbol=BTCUSD', 'interval is missing'],
    ['/v5/market/kline?category=spot&symbol=BTCUSD&interval=1', 'hourly candles only (interval=60)'],
    ['/v5/market/kline?category=spot&symbol=BTCUSD&interval=60&limit=0', 'limit "0"'],
    ['/v5/market/kline?category=spot&symbol=BTCUSD&interval=60&limit=1001', 'limit "1001"'],
    ['/v5/market/kline?category=spot&symbol=BTCUSD&interval=60&start=soon', 'start "soon"'],
    ['/v5/market/kline?category=spot&symbol=BTCUSD&interval=60&start=2&end=1', 'start 2 is after end 1'],
  ])('is answered with HTTP 200 and retCode 10001: %s', async (path, message) => {
    const answer = await get(path);
    expect(answer).toMatchObject({ retCode: 10001, result: {}, retExtInfo: {}, time: now });
    expect(answer.retMsg).toContain(message);
  });

  it.each(['/', '/v5/market/orderbook', '/v5/market/tickers/', '//'])(
    'is a 404 at another path: %s',
    async (path) => {
      const response = await fetch(`${replay.url}${path}`);
      expect(response.status).toBe(404);
      await response.text();
    },
  );

  it('is answered with 405 unless it is a GET', async () => {
    const response = await fetch(`${replay.url}/v5/market/tickers?category=spot`, {
      method: 'POST',
      body: '{}',
    });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET');
    await response.text();
  });
});

describe('the server of the market replay', () => {
  it('answers 500 if the clock fails, and keeps running', async () => {
    const broken = await startMarketReplay({
      market,
      clock: () => {
        throw new Error('no clock file');
      },
    });
    try {
      const response = await fetch(`${broken.url}/v5/market/tickers?category=spot`);
      expect(response.status).toBe(500);
      expect(await response.text()).toContain('no clock file');
    } finally {
      await broken.close();
    }
  });

  it('keeps a connection open for the next poll', async () => {
    const socket = connect(replay.port, '127.0.0.1');
    const answers: string[] = [];
    socket.setEncoding('utf8').on('data', (text: string) => answers.push(text));
    try {
      for (const count of [1, 2]) {
        socket.write('GET /v5/market/tickers?category=linear HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
        await expect.poll(() => answers.join('').split('"retCode":0').length - 1).toBe(count);
      }
    } finally {
      socket.destroy();
    }
  });

  it('closes at once despite an open connection, and may be closed twice', async () => {
    const socket = connect(replay.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /v5/market/tickers?category=linear HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    await once(socket, 'data');
    const dropped = once(socket, 'close');
    await Promise.all([replay.close(), replay.close()]);
    await dropped;
    await expect(fetch(replay.url)).rejects.toThrow();
  });

  it('rejects with EADDRINUSE if the requested port is taken', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      await expect(startMarketReplay({ market, clock: () => now, port })).rejects.toMatchObject({
        code: 'EADDRINUSE',
      });
    } finally {
      other.close();
    }
  });
});
