import {
  RateLimitedError,
  RegionBlockedError,
  type SourceError,
  SourceRefusedError,
  SourceUnavailableError,
} from '../core/ingest/source-errors.ts';
import { DAY_MS } from '../core/market/time.ts';
import type { ExchangeResponse, ResponseContext } from './exchange-adapter.ts';

/** How an exchange tells that it was asked too often. */
export interface RateLimitRules {
  /** Whether an answer that is no success is a rate limit. @default status 429 */
  isLimit?: (status: number, text: string) => boolean;
  /** For how long not to ask where the answer names no time. */
  waitMs: (status: number) => number;
  /** Epoch ms from fields of the exchange's own, beside Retry-After; NaN where there is none. */
  toldMs?: (response: ExchangeResponse, nowMs: number) => number[];
  /** A limit that claims to last longer is misread, and not to keep us silent. @default a day */
  longestMs?: number;
}

const WHERE_TO_GO =
  'the exchange does not serve the region this runs in. Deploy to another AWS region, or set TICKER_API_URL to a host that serves yours';

/** The failure that an HTTP status stands for; undefined where it is 2xx. API codes are the adapter's matter. */
export function httpFailure(
  response: ExchangeResponse,
  context: ResponseContext,
  rules: RateLimitRules,
): SourceError | undefined {
  const { status } = response;
  const { url } = context;
  if (status >= 200 && status < 300) return undefined;
  const text = new TextDecoder().decode(response.body.subarray(0, 2_000));
  const excerpt = text.replace(/\s+/g, ' ').slice(0, 200);
  if (status === 429 || rules.isLimit?.(status, text)) {
    return rateLimited(`${status}`, excerpt, response, context, rules);
  }
  if (status === 403 || status === 451) return regionBlocked(`${status}`, excerpt, url);
  if (status >= 500 || status === 408) {
    return new SourceUnavailableError(`${url} answered ${status}: ${excerpt}`, { url });
  }
  return new SourceRefusedError(`${url} answered ${status}: ${excerpt}`, { url });
}

/** @param answered the status or code that means it */
export function rateLimited(
  answered: string,
  detail: string,
  response: ExchangeResponse,
  { url, nowMs }: ResponseContext,
  rules: RateLimitRules,
): RateLimitedError {
  const retryAtMs = limitEndMs(response, nowMs, rules) ?? nowMs + rules.waitMs(response.status);
  return new RateLimitedError(
    `${url} answered ${answered} (rate limit); it may be asked again at ${new Date(retryAtMs).toISOString()}: ${detail}`,
    { url, retryAtMs },
  );
}

export function regionBlocked(answered: string, detail: string, url: string): RegionBlockedError {
  return new RegionBlockedError(`${url} answered ${answered}: ${WHERE_TO_GO}: ${detail}`, { url });
}

/** When the limit ends, epoch ms, where the answer says so in a way that makes sense. */
function limitEndMs(
  response: ExchangeResponse,
  nowMs: number,
  { toldMs, longestMs = DAY_MS }: RateLimitRules,
): number | undefined {
  const retryAfter = response.header('retry-after') ?? '';
  const told = [
    ...(toldMs?.(response, nowMs) ?? []),
    // Seconds or an HTTP date.
    /^\d+$/.test(retryAfter) ? nowMs + Number(retryAfter) * 1_000 : Date.parse(retryAfter),
  ];
  return told.find((ms) => ms > nowMs && ms <= nowMs + longestMs);
}
