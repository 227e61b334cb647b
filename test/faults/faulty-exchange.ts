import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers one request, in whatever way. */
export type Answer = (response: ServerResponse, good: string) => void;

/** A Bybit of our own whose answers a test spoils. */
export interface FaultyExchange {
  url: string;
  requests: number;
  /** The next answers, in order; once they are used up, the server answers normally. */
  answers: Answer[];
  /** The list of the tickers of a good answer. */
  list: unknown[];
  close(): Promise<void>;
}

export const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'XRPUSDT'];

export async function startFaultyExchange(): Promise<FaultyExchange> {
  const server = createServer((request, response) => {
    exchange.requests += 1;
    const category = new URL(request.url ?? '', exchange.url).searchParams.get('category');
    const good = JSON.stringify({
      retCode: 0,
      retMsg: 'OK',
      result: { category, list: exchange.list },
      retExtInfo: {},
      time: Date.now(),
    });
    const answer = exchange.answers.shift() ?? well;
    answer(response, good);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const exchange: FaultyExchange = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: 0,
    answers: [],
    list: SYMBOLS.map((symbol, index) => ({ symbol, lastPrice: String(index + 1), price24hPcnt: '0.01' })),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return exchange;
}

const json = { 'content-type': 'application/json' };

export const well: Answer = (response, good) => void response.writeHead(200, json).end(good);

/** A status with a custom body and headers. */
export function status(code: number, body = '', headers: Record<string, string> = {}): Answer {
  return (response) => void response.writeHead(code, { ...json, ...headers }).end(body);
}

/** 200 with this body. */
export const body = (text: string): Answer => status(200, text);

/** The first half of a good answer, ended as if it were whole. */
export const halfOfIt: Answer = (response, good) =>
  void response.writeHead(200, json).end(good.slice(0, good.length / 2));

/** The first half of a good answer, then the connection is cut. */
export const cutInHalf: Answer = (response, good) => {
  response.writeHead(200, { ...json, 'content-length': String(good.length) });
  response.write(good.slice(0, good.length / 2), () => response.destroy());
};

/** A good answer after a delay. */
export const slow =
  (ms: number): Answer =>
  (response, good) =>
    void setTimeout(() => well(response, good), ms);
