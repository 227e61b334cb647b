import * as z from 'zod';
import type { Exchange } from '../exchange.ts';
import { type ApiFailure, errorCode, type FailureKind } from '../http/failures.ts';
import { fieldOf } from '../payload/fields.ts';
import { splitBybitSymbol } from './symbols.ts';
import { bybitV2 } from './v2.ts';
import { bybitCandles, bybitV5 } from './v5.ts';

/** How long Bybit blocks an IP address after "403, access too frequent". */
const IP_BAN_MS = 10 * 60_000;
/** Bybit counts requests in windows of 5 s. */
const RATE_WINDOW_MS = 5_000;

/** https://bybit-exchange.github.io/docs/v5/error; any other code is a refusal. */
const CODES: Readonly<Record<number, FailureKind>> = {
  10000: 'unavailable',
  10006: 'rateLimited',
  10009: 'regionBlocked',
  10016: 'unavailable',
  10018: 'rateLimited',
  10024: 'regionBlocked',
  10429: 'rateLimited',
  170001: 'unavailable',
  170007: 'unavailable',
  170032: 'unavailable',
  170222: 'rateLimited',
};

const message = z.string().nullish();
const outcome = z.union([
  z.object({ retCode: errorCode, retMsg: message }),
  z
    .object({ ret_code: errorCode, ret_msg: message })
    .transform(({ ret_code, ret_msg }) => ({ retCode: ret_code, retMsg: ret_msg })),
]);

function apiFailure(json: unknown): ApiFailure | undefined {
  const { data } = outcome.safeParse(json);
  if (!data || data.retCode === 0) return undefined;
  return {
    kind: CODES[data.retCode] ?? 'refused',
    code: `code ${data.retCode}`,
    message: data.retMsg || 'no message',
    // The limit of the IP address.
    ...(data.retCode === 10018 ? { waitMs: IP_BAN_MS } : {}),
  };
}

/** Bybit, whose tickers come from the current API and, for as long as it is served, from v2. */
export const bybit: Exchange = {
  name: 'bybit',
  baseUrl: 'https://api.bybit.com',
  // "IP addresses located in the US or Mainland China are restricted": https://bybit-exchange.github.io/docs/v5/guide
  refusedRegions: ['us-', 'cn-'],
  pace: { concurrency: 4 },
  limits: {
    isLimit: (status, text) => status === 403 && /too (frequent|many)|rate limit/i.test(text),
    waitMs: (status) => (status === 403 ? IP_BAN_MS : RATE_WINDOW_MS),
    resetMs: ({ header, json }) => [
      Number(header('x-bapi-limit-reset-timestamp')),
      Number(fieldOf(json, 'rate_limit_reset_ms')), // v2
    ],
  },
  apiFailure,
  tickerApis: [bybitV5, bybitV2],
  candles: bybitCandles,
  pairOf: (symbol, category) => splitBybitSymbol(category, symbol),
};
