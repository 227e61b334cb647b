import {
  type SourceError,
  SourceRefusedError,
  SourceUnavailableError,
} from '../core/ingest/source-errors.ts';
import type { ExchangeResponse, ResponseContext } from './exchange-adapter.ts';
import { httpFailure, type RateLimitRules, rateLimited, regionBlocked } from './http-failures.ts';

/** Bybit: after "403, access too frequent" the IP is served again after 10 minutes. */
const IP_BAN_MS = 10 * 60_000;
/** Where a 429 names no time: Bybit counts requests in windows of 5 s. */
const RATE_WINDOW_MS = 5_000;

const LIMITS: RateLimitRules = {
  isLimit: (status, text) => status === 403 && /too (frequent|many)|rate limit/i.test(text),
  waitMs: (status) => (status === 403 ? IP_BAN_MS : RATE_WINDOW_MS),
  toldMs: (response) => [
    Number(response.header('x-bapi-limit-reset-timestamp')),
    // v2 says it in the body.
    Number((response.json as { rate_limit_reset_ms?: unknown } | null | undefined)?.rate_limit_reset_ms),
  ],
};

/** HTTP statuses as Bybit uses them; its API codes are in the body (see {@link bybitApiFailure}). */
export function bybitHttpFailure(
  response: ExchangeResponse,
  context: ResponseContext,
): SourceError | undefined {
  return httpFailure(response, context, LIMITS);
}

/** Bybit's API codes: 0 is success, 10006/10018 a rate limit, 10000/10016 a passing fault of theirs. */
export function bybitApiFailure(
  code: number,
  message: string,
  response: ExchangeResponse,
  context: ResponseContext,
): SourceError | undefined {
  const { url } = context;
  switch (code) {
    case 0:
      return undefined;
    case 10006:
      return rateLimited(`code ${code}`, message, response, context, LIMITS);
    case 10018:
      return rateLimited(`code ${code}`, message, response, context, { ...LIMITS, waitMs: () => IP_BAN_MS });
    case 10000:
    case 10016:
      return new SourceUnavailableError(`${url} answered code ${code}: ${message}`, { url });
    case 10009:
    case 10024:
      return regionBlocked(`code ${code}`, message, url);
    default:
      return new SourceRefusedError(`${url} answered code ${code}: ${message}`, { url });
  }
}
