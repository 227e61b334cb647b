import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  LOOPBACK,
  type LoopbackServer,
  send,
  sendJson,
  serveOnLoopback,
} from '../../core/runtime/loopback-server.ts';
import { DEFAULT_KLINE_LIMIT, type ReplayMarket } from './replay-market.ts';

export interface MarketReplayOptions {
  readonly market: ReplayMarket;
  /** The replay's time, epoch milliseconds: the slot being polled. Called for each request. */
  readonly clock: () => number;
  /** @default a free port */
  readonly port?: number | undefined;
}

/** Longer than the pause between two polls of a slow replay, to keep the client's connection open. */
const KEEP_ALIVE_MS = 65_000;
const RETCODE_OK = 0;
const RETCODE_BAD_REQUEST = 10001;
const RECORDED_CATEGORY = 'spot';
const CATEGORIES = ['spot', 'linear', 'inverse', 'option'];
const KLINE_CATEGORIES = ['spot', 'linear', 'inverse'];
const KLINE_INTERVAL_MINUTES = '60';
const MAX_KLINE_LIMIT = 1000;

/** A request that Bybit would reject, with HTTP 200 and a `retCode`. */
class BadRequest extends Error {}

type Route = (market: ReplayMarket, query: URLSearchParams, nowMs: number) => Record<string, unknown>;

const ROUTES: ReadonlyMap<string, Route> = new Map([
  ['/v5/market/tickers', tickers],
  ['/v5/market/kline', klines],
]);

/**
 * Serves a replayed market on 127.0.0.1 as Bybit's v5 API does: `GET /v5/market/tickers` and
 * `GET /v5/market/kline` (interval 60). Only the category `spot` has data. Use its `url` in place of Bybit's base URL.
 *
 * @throws the `EADDRINUSE` error of `node:net` if the requested port is taken
 */
export function startMarketReplay({ market, clock, port = 0 }: MarketReplayOptions): Promise<LoopbackServer> {
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    answer(request, response, market, clock);
  return serveOnLoopback(listener, port, { keepAliveTimeout: KEEP_ALIVE_MS });
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  market: ReplayMarket,
  clock: () => number,
): void {
  const url = URL.parse(request.url ?? '/', `http://${LOOPBACK}`);
  const route = url === null ? undefined : ROUTES.get(url.pathname);
  if (url === null || route === undefined) {
    send(
      response,
      404,
      'text/plain',
      `Not found. The market replay serves ${[...ROUTES.keys()].join(' and ')}.\n`,
    );
    return;
  }
  if (request.method !== 'GET') {
    response.setHeader('allow', 'GET');
    send(response, 405, 'text/plain', `The market replay only answers GET, not ${request.method}.\n`);
    return;
  }
  try {
    sendJson(response, 200, envelope(route, market, url.searchParams, clock()));
  } catch (error) {
    // A failing clock must not end the whole pipeline's process.
    const reason = error instanceof Error ? error.stack : String(error);
    send(response, 500, 'text/plain', `The market replay failed: ${reason}\n`);
  }
}

function envelope(route: Route, market: ReplayMarket, query: URLSearchParams, nowMs: number): object {
  try {
    const result = route(market, query, nowMs);
    return { retCode: RETCODE_OK, retMsg: 'OK', result, retExtInfo: {}, time: nowMs };
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    return { retCode: RETCODE_BAD_REQUEST, retMsg: error.message, result: {}, retExtInfo: {}, time: nowMs };
  }
}

function tickers(market: ReplayMarket, query: URLSearchParams, nowMs: number): Record<string, unknown> {
  const category = categoryOf(query.get('category') ?? '', CATEGORIES);
  const symbol = query.get('symbol');
  if (category !== RECORDED_CATEGORY) return { category, list: [] };
  if (symbol !== null) refuseUnknownSymbol(market, symbol);
  const all = market.tickersAt(nowMs);
  return { category, list: symbol === null ? all : all.filter((ticker) => ticker.symbol === symbol) };
}

function klines(market: ReplayMarket, query: URLSearchParams, nowMs: number): Record<string, unknown> {
  // Bybit's default.
  const category = categoryOf(query.get('category') ?? 'linear', KLINE_CATEGORIES);
  const symbol = query.get('symbol') ?? '';
  if (symbol === '') throw new BadRequest('params error: symbol is missing');
  const interval = query.get('interval');
  if (interval !== KLINE_INTERVAL_MINUTES) {
    throw new BadRequest(
      `params error: interval ${interval ?? 'is missing'}: the replay has hourly candles only (interval=60)`,
    );
  }
  const startMs = wholeNumber(query, 'start', 0, Number.MAX_SAFE_INTEGER);
  const endMs = wholeNumber(query, 'end', 0, Number.MAX_SAFE_INTEGER);
  const limit = wholeNumber(query, 'limit', 1, MAX_KLINE_LIMIT) ?? DEFAULT_KLINE_LIMIT;
  if (startMs !== undefined && endMs !== undefined && startMs > endMs) {
    throw new BadRequest(`params error: start ${startMs} is after end ${endMs}`);
  }
  if (category !== RECORDED_CATEGORY) return { symbol, category, list: [] };
  refuseUnknownSymbol(market, symbol);
  return { symbol, category, list: market.klines({ symbol, startMs, endMs, limit, untilMs: nowMs }) };
}

function categoryOf(category: string, allowed: readonly string[]): string {
  if (!allowed.includes(category)) {
    throw new BadRequest(`params error: unknown category "${category}", expected ${allowed.join(', ')}`);
  }
  return category;
}

function refuseUnknownSymbol(market: ReplayMarket, symbol: string): void {
  if (!market.symbols.includes(symbol)) {
    throw new BadRequest(`params error: symbol invalid: "${symbol}", expected ${market.symbols.join(', ')}`);
  }
}

function wholeNumber(query: URLSearchParams, name: string, min: number, max: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new BadRequest(`params error: ${name} "${text}" is not a whole number from ${min} to ${max}`);
  }
  return value;
}
