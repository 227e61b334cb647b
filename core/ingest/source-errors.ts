import { printable } from '../text/printable.ts';

interface SourceErrorDetails {
  url: string;
  cause?: unknown;
}

/** What can go wrong with an exchange. */
export class SourceError extends Error {
  override readonly name: string = 'SourceError';
  readonly url: string;
  /** Whether the same request may succeed within this poll. */
  readonly retryable: boolean = false;
  /** The time (epoch ms) before which the exchange asked not to be called again. */
  readonly retryAtMs: number | undefined;

  constructor(message: string, { url, cause }: SourceErrorDetails) {
    // The message quotes the exchange and is shown in terminals, so control characters and line breaks are
    // removed.
    super(printable(message.replace(/\s+/g, ' ')), { cause });
    this.url = url;
  }
}

/** No answer, or a server error: refused, reset, timed out, 5xx. */
export class SourceUnavailableError extends SourceError {
  override readonly name = 'SourceUnavailableError';
  override readonly retryable = true;
  override readonly retryAtMs: number | undefined;
  constructor(message: string, details: SourceErrorDetails & { retryAtMs?: number | undefined }) {
    super(message, details);
    this.retryAtMs = details.retryAtMs;
  }
}

/** The exchange asked us to slow down. */
export class RateLimitedError extends SourceError {
  override readonly name = 'RateLimitedError';
  override readonly retryable = true;
  override readonly retryAtMs: number;
  constructor(message: string, details: SourceErrorDetails & { retryAtMs: number }) {
    super(message, details);
    this.retryAtMs = details.retryAtMs;
  }
}

/** The exchange does not serve the region that we call from. */
export class RegionBlockedError extends SourceError {
  override readonly name = 'RegionBlockedError';
}

/** The exchange understood the request and refused it (an API error code, a 4xx). */
export class SourceRefusedError extends SourceError {
  override readonly name = 'SourceRefusedError';
}

/** The answer is larger than any legitimate one. What was read of it is not kept. */
export class AnswerTooLargeError extends SourceError {
  override readonly name = 'AnswerTooLargeError';
  /** @param size what it has, and what may be done */
  constructor(url: string, size: string) {
    super(`${url} answered ${size}`, { url });
  }
}

/** The answer does not have the documented shape. The body is kept as evidence. */
export class WrongPayloadError extends SourceError {
  override readonly name = 'WrongPayloadError';
  readonly body: Uint8Array;
  constructor(message: string, details: SourceErrorDetails & { body: Uint8Array }) {
    super(message, details);
    this.body = details.body;
  }
}
