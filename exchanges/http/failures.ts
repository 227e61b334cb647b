import * as z from 'zod';
import {
  RateLimitedError,
  RegionBlockedError,
  type SourceError,
  SourceRefusedError,
  SourceUnavailableError,
} from '../../core/ingest/source-errors.ts';
import { DAY_MS, MINUTE_MS } from '../../core/market/time.ts';
import { retryAfterMs } from '../../core/runtime/retry.ts';
import { type CdnPage, cdnPageOf } from './cdn.ts';

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

/** A number, or the same as text. */
export const errorCode = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number),
]);

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

/** How an exchange reports that it is called too often. */
export interface RateLimitRules {
  /** Whether a failed answer is a rate limit, besides status 429. A page about the region never is. */
  isLimit?: (status: number, text: string) => boolean;
  /** How long to wait if the answer does not say. */
  waitMs: (status: number) => number;
  /** Reset times (epoch ms, or NaN) from the exchange's own fields; they precede Retry-After. */
  resetMs?: (response: ExchangeResponse, text: string) => number[];
  /** A limit that seems to last longer is a misreading, and must not stop our polls. @default a day */
  longestMs?: number;
}

/** How an exchange reports failures. */
export interface FailureRules {
  readonly limits: RateLimitRules;
  /** The failure reported in a JSON body. The HTTP status takes precedence over a `refused`. */
  apiFailure?(json: unknown): ApiFailure | undefined;
}

const EXCERPT_BYTES = 16_000;
const REGION_ADVICE =
  'the exchange does not serve this region. Deploy to another AWS region, or set TICKER_API_URL to a host that serves yours';
const ADDRESS_ADVICE =
  'if that lasts, poll less often, or give the functions another address (a NAT gateway) or region';
/** How long a firewall's block lasts unless it says: most count requests over five minutes. */
const FIREWALL_WAIT_MS = 5 * MINUTE_MS;

/** Phrases for transient failures, for exchanges whose codes we do not know. */
const PASSING =
  /maintenance|try again|internal (system |server )?error|(system|server) (is )?(busy|error)|service (is )?(temporarily )?unavailable|time(d)? ?out/i;
export const passes = (message: string) => PASSING.test(message);
const TOO_OFTEN = /too (many|frequent)|rate limit|frequency/i;

/** A failure, and the network whose page reports it. */
interface Failure extends ApiFailure {
  page?: CdnPage | undefined;
}

/** The failure in an answer; undefined on success. */
export function failureOf(
  rules: FailureRules,
  response: ExchangeResponse,
  context: ResponseContext,
): SourceError | undefined {
  const reported = byItsWords(rules.apiFailure?.(response.json));
  const failure: Failure | undefined =
    reported && reported.kind !== 'refused' ? reported : (statusFailure(response, rules) ?? reported);
  if (!failure) return undefined;
  const { url, nowMs } = context;
  const detail = failure.message ? `: ${failure.message}` : '';
  const from = failure.page ? `, a page of ${failure.page.cdn} in front of the exchange` : '';
  const message = `${url} answered ${failure.code}${from}`;
  const toldMs = resetMs(response, nowMs, rules.limits);
  switch (failure.kind) {
    case 'rateLimited': {
      const retryAtMs = toldMs ?? nowMs + (failure.waitMs ?? rules.limits.waitMs(response.status));
      const until = new Date(retryAtMs).toISOString();
      const what = failure.page ? ` (its firewall blocks this address; ${ADDRESS_ADVICE})` : ' (rate limit)';
      return new RateLimitedError(`${message}${what}; do not call it before ${until}${detail}`, {
        url,
        retryAtMs,
      });
    }
    case 'regionBlocked':
      return new RegionBlockedError(`${message}: ${REGION_ADVICE}${detail}`, { url });
    case 'unavailable':
      return new SourceUnavailableError(`${message}${detail}`, { url, retryAtMs: toldMs });
    case 'refused':
      return new SourceRefusedError(`${message}${detail}`, { url });
  }
}

/** The text of an unknown code may still say that the failure is transient. */
function byItsWords(failure: ApiFailure | undefined): ApiFailure | undefined {
  if (failure?.kind !== 'refused') return failure;
  const words = `${failure.code} ${failure.message ?? ''}`;
  if (TOO_OFTEN.test(words)) return { ...failure, kind: 'rateLimited' };
  return passes(words) ? { ...failure, kind: 'unavailable' } : failure;
}

function statusFailure(response: ExchangeResponse, { limits }: FailureRules): Failure | undefined {
  const { status, body, header } = response;
  const text = startOf(body);
  const page = cdnPageOf(status, header, text);
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && !page) return undefined;
  const isServerError = status >= 500 || status === 408;
  const kindOf = (): FailureKind => {
    if (status === 451 || page?.isAboutRegion) return 'regionBlocked';
    if (status === 429 || limits.isLimit?.(status, text)) return 'rateLimited';
    if (page && !isServerError && status !== 404) return 'rateLimited';
    if (status === 403) return 'regionBlocked';
    return isServerError ? 'unavailable' : 'refused';
  };
  return {
    kind: kindOf(),
    code: String(status),
    message: page?.text ?? text.replace(/\s+/g, ' ').slice(0, 200),
    page,
    ...(page && status !== 429 ? { waitMs: Math.max(FIREWALL_WAIT_MS, limits.waitMs(status)) } : {}),
  };
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
