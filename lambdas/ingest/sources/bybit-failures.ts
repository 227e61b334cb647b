import type { SourceError } from './errors.ts';
import {
  RateLimitedError,
  RegionBlockedError,
  SourceRefusedError,
  SourceUnavailableError,
} from './errors.ts';
import type { ExchangeResponse, ResponseContext } from './exchange-adapter.ts';

/** Bybit: after "403, access too frequent" the IP is served again after 10 minutes. */
const IP_BAN_MS = 10 * 60_000;
/** Where a 429 names no time: Bybit counts requests in windows of 5 s. */
const RATE_WINDOW_MS = 5_000;
/** No limit of theirs lasts longer; a header that says so is misread, and not to keep us silent. */
const LONGEST_LIMIT_MS = 24 * 60 * 60_000;

/** When the limit ends, epoch ms, where the answer says so in a way that makes sense. */
function limitEndMs(response: ExchangeResponse, nowMs: number): number | undefined {
  const retryAfter = response.header('retry-after') ?? '';
  const told = [
    Number(response.header('x-bapi-limit-reset-timestamp')),
    // v2 says it in the body.
    Number((response.json as { rate_limit_reset_ms?: unknown } | null | undefined)?.rate_limit_reset_ms),
    // Seconds or an HTTP date.
    /^\d+$/.test(retryAfter) ? nowMs + Number(retryAfter) * 1_000 : Date.parse(retryAfter),
  ];
  return told.find((ms) => ms > nowMs && ms <= nowMs + LONGEST_LIMIT_MS);
}

/** HTTP statuses as Bybit uses them; its API codes are in the body (see {@link bybitApiFailure}). */
export function bybitHttpFailure(
  response: ExchangeResponse,
  { url, nowMs }: ResponseContext,
): SourceError | undefined {
  const { status } = response;
  if (status >= 200 && status < 300) return undefined;
  const text = new TextDecoder().decode(response.body.subarray(0, 2_000));
  const excerpt = text.replace(/\s+/g, ' ').slice(0, 200);
  if (status === 429 || (status === 403 && /too (frequent|many)|rate limit/i.test(text))) {
    const retryAtMs = limitEndMs(response, nowMs) ?? nowMs + (status === 403 ? IP_BAN_MS : RATE_WINDOW_MS);
    return new RateLimitedError(
      `${url} answered ${status} (rate limit); it may be asked again at ${new Date(retryAtMs).toISOString()}: ${excerpt}`,
      { url, retryAtMs },
    );
  }
  if (status === 403 || status === 451) {
    return new RegionBlockedError(
      `${url} answered ${status}: the exchange does not serve the region this runs in. Deploy to another AWS region, or set TICKER_API_URL to a host that serves yours: ${excerpt}`,
      { url },
    );
  }
  if (status >= 500 || status === 408) {
    return new SourceUnavailableError(`${url} answered ${status}: ${excerpt}`, { url });
  }
  return new SourceRefusedError(`${url} answered ${status}: ${excerpt}`, { url });
}

/** Bybit's API codes: 0 is success, 10006/10018 a rate limit, 10000/10016 a passing fault of theirs. */
export function bybitApiFailure(
  code: number,
  message: string,
  response: ExchangeResponse,
  { url, nowMs }: ResponseContext,
): SourceError | undefined {
  switch (code) {
    case 0:
      return undefined;
    case 10006:
    case 10018: {
      const retryAtMs = limitEndMs(response, nowMs) ?? nowMs + (code === 10018 ? IP_BAN_MS : RATE_WINDOW_MS);
      return new RateLimitedError(
        `${url} answered code ${code} (rate limit: ${message}); it may be asked again at ${new Date(retryAtMs).toISOString()}`,
        { url, retryAtMs },
      );
    }
    case 10000:
    case 10016:
      return new SourceUnavailableError(`${url} answered code ${code}: ${message}`, { url });
    case 10009:
    case 10024:
      return new RegionBlockedError(
        `${url} answered code ${code}: ${message}. The exchange does not serve the region this runs in: deploy to another AWS region, or set TICKER_API_URL to a host that serves yours`,
        { url },
      );
    default:
      return new SourceRefusedError(`${url} answered code ${code}: ${message}`, { url });
  }
}
