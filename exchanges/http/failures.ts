import {
  RateLimitedError,
  RegionBlockedError,
  type SourceError,
  SourceRefusedError,
  SourceUnavailableError,
} from '../../core/ingest/source-errors.ts';
import { DAY_MS } from '../../core/market/time.ts';
import { retryAfterMs } from '../../core/runtime/retry.ts';

/** An HTTP answer, not yet interpreted. */
export interface ExchangeResponse {
  status: number;
  header(name: string): string | undefined;
  body: Uint8Array;
  /** The parsed body; undefined if it is not JSON. */
  json: unknown;
}

export interface ResponseContext {
  url: string;
  nowMs: number;
}

export type FailureKind = 'rateLimited' | 'regionBlocked' | 'unavailable' | 'refused';

/** A failure that an exchange reports in the body of its answer. */
export interface ApiFailure {
  kind: FailureKind;
  /** As the error message shows it: `code 10006`. */
  code: string;
  message?: string;
  /** How long this rate limit lasts unless the answer says. @default {@link RateLimitRules.waitMs} */
  waitMs?: number;
}

/** How an exchange says that it is called too often. */
export interface RateLimitRules {
  /** Whether a failed answer is a rate limit, besides status 429. */
  isLimit?: (status: number, text: string) => boolean;
  /** How long to wait if the answer does not say. */
  waitMs: (status: number) => number;
  /** Reset times (epoch ms, or NaN) from the exchange's own fields; they precede Retry-After. */
  resetMs?: (response: ExchangeResponse, text: string) => number[];
  /** A limit that claims to last longer is a misreading and must not silence us. @default a day */
  longestMs?: number;
}

/** How an exchange reports failures. */
export interface FailureRules {
  readonly limits: RateLimitRules;
  /** The failure reported in a JSON body. The HTTP status takes precedence over a `refused`. */
  apiFailure?(json: unknown): ApiFailure | undefined;
}

const EXCERPT_BYTES = 2_000;
const REGION_ADVICE =
  'the exchange does not serve this region. Deploy to another AWS region, or set TICKER_API_URL to a host that serves yours';

/** The failure in an answer; undefined on success. */
export function failureOf(
  rules: FailureRules,
  response: ExchangeResponse,
  context: ResponseContext,
): SourceError | undefined {
  const reported = rules.apiFailure?.(response.json);
  const failure =
    reported && reported.kind !== 'refused' ? reported : (statusFailure(response, rules) ?? reported);
  if (!failure) return undefined;
  const { url, nowMs } = context;
  const detail = failure.message ? `: ${failure.message}` : '';
  const message = `${url} answered ${failure.code}`;
  switch (failure.kind) {
    case 'rateLimited': {
      const waitMs = failure.waitMs ?? rules.limits.waitMs(response.status);
      const retryAtMs = resetMs(response, nowMs, rules.limits) ?? nowMs + waitMs;
      const until = new Date(retryAtMs).toISOString();
      return new RateLimitedError(`${message} (rate limit); do not call it before ${until}${detail}`, {
        url,
        retryAtMs,
      });
    }
    case 'regionBlocked':
      return new RegionBlockedError(`${message}: ${REGION_ADVICE}${detail}`, { url });
    case 'unavailable':
      return new SourceUnavailableError(`${message}${detail}`, { url });
    case 'refused':
      return new SourceRefusedError(`${message}${detail}`, { url });
  }
}

function statusFailure({ status, body }: ExchangeResponse, { limits }: FailureRules): ApiFailure | undefined {
  if (status >= 200 && status < 300) return undefined;
  const text = startOf(body);
  const kindOf = (): FailureKind => {
    if (status === 429 || limits.isLimit?.(status, text)) return 'rateLimited';
    if (status === 403 || status === 451) return 'regionBlocked';
    return status >= 500 || status === 408 ? 'unavailable' : 'refused';
  };
  return { kind: kindOf(), code: String(status), message: text.replace(/\s+/g, ' ').slice(0, 200) };
}

/** The start of an answer as text, for error messages, and for times inside of a message. */
function startOf(body: Uint8Array): string {
  return new TextDecoder().decode(body.subarray(0, EXCERPT_BYTES));
}

/** When the limit ends, epoch ms, if the answer gives a plausible time. */
function resetMs(response: ExchangeResponse, nowMs: number, rules: RateLimitRules): number | undefined {
  const candidates = [
    ...(rules.resetMs?.(response, startOf(response.body)) ?? []),
    retryAfterMs(response.header('retry-after') ?? '', nowMs),
  ];
  return candidates.find((ms) => ms > nowMs && ms <= nowMs + (rules.longestMs ?? DAY_MS));
}
