import { readFileSync } from 'node:fs';

/** A payload from an exchange's documentation. Each call returns a new copy, which a test may change. */
export function recordedPayload<T = unknown>(name: string): T {
  return fixture(`exchange-payloads/${name}`);
}

/** Answers by path that were once read wrongly. */
export function fieldCase(
  name: string,
): Record<string, { status?: number; headers?: Record<string, string>; body: unknown }> {
  return fixture(`field-cases/${name}`);
}

/** What an exchange behind ccxt answers, by path. */
export function ccxtPayloads(exchange: string): Record<string, unknown> {
  return fixture(`ccxt-payloads/${exchange}`);
}

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8'));
}

/** The part of Bybit's current API that tests use. */
export interface BybitV5Payload {
  retCode: number;
  retMsg: string;
  result: { category: string; list: unknown[] };
  time: number;
}

export function recordedBybitV5(category: 'linear' | 'inverse' | 'spot' | 'option'): BybitV5Payload {
  if (category !== 'linear') return recordedPayload(`bybit-v5-${category}`);
  // A linear perpetual has the fields of an inverse one.
  const payload = recordedPayload<BybitV5Payload>('bybit-v5-inverse');
  payload.result.category = 'linear';
  payload.result.list = payload.result.list.map((ticker) => ({ ...(ticker as object), symbol: 'BTCUSDT' }));
  return payload;
}
