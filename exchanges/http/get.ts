import { SourceError, SourceUnavailableError } from '../../core/ingest/source-errors.ts';
import type { ExchangeResponse } from './failures.ts';
import { fetchAnswer } from './fetch-answer.ts';

/** One HTTP exchange, as reported to the caller. */
export interface Traffic {
  url: string;
  /** undefined if there was no answer */
  status: number | undefined;
  /** The headers that say how much of a limit is used. */
  limits: Record<string, string>;
}

/** @throws SourceUnavailableError if no complete answer came in time; what {@link fetchAnswer} throws */
export async function get(
  url: string,
  timeoutMs: number,
  onTraffic: ((traffic: Traffic) => void) | undefined,
): Promise<ExchangeResponse> {
  try {
    const response = await fetchAnswer(url, {
      signal: AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))),
      headers: { accept: 'application/json', 'user-agent': 'crypto-market-insights' },
    });
    const { status, headers } = response;
    const body = new Uint8Array(await response.arrayBuffer());
    onTraffic?.({ url, status, limits: limitHeaders(headers) });
    return { status, header: (name) => headers.get(name) ?? undefined, body, json: parseJson(body) };
  } catch (cause) {
    onTraffic?.({ url, status: undefined, limits: {} });
    if (cause instanceof SourceError) throw cause;
    throw new SourceUnavailableError(`${url} did not answer: ${rootMessage(cause)}`, { url, cause });
  }
}

/** `x-mbx-used-weight-1m`, `x-bapi-limit-status`, `retry-after`, … */
export function limitHeaders(headers: Iterable<[string, string]>): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => /limit|weight|retry-after|quota/i.test(name)));
}

/** JSON in UTF-8, or undefined. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** fetch hides the reason ("fetch failed") in its cause. */
function rootMessage(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  if (!(current instanceof Error)) return String(current);
  // If a host refuses on several addresses, Node gives a code but no message.
  return current.message || (current as NodeJS.ErrnoException).code || current.name;
}
