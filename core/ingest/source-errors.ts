/**
 * What can go wrong with an exchange. `retryable` says whether the same request may succeed within this
 * poll; `retryAtMs` is the time before which the exchange asked not to be called again.
 */
export class SourceError extends Error {
  override readonly name: string = 'SourceError';
  readonly url: string;
  readonly retryable: boolean;
  readonly retryAtMs: number | undefined;

  constructor(
    message: string,
    details: {
      url: string;
      retryable?: boolean | undefined;
      retryAtMs?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(message, { cause: details.cause });
    this.url = details.url;
    this.retryable = details.retryable ?? false;
    this.retryAtMs = details.retryAtMs;
  }
}

/** No answer, or a server error: refused, reset, timed out, 5xx. */
export class SourceUnavailableError extends SourceError {
  override readonly name = 'SourceUnavailableError';
  constructor(message: string, details: { url: string; cause?: unknown }) {
    super(message, { ...details, retryable: true });
  }
}

/** The exchange asked us to slow down; `retryAtMs` is when it may be asked again. */
export class RateLimitedError extends SourceError {
  override readonly name = 'RateLimitedError';
  constructor(message: string, details: { url: string; retryAtMs: number }) {
    super(message, { ...details, retryable: true });
  }
}

/** The exchange does not serve the region that we call from. */
export class RegionBlockedError extends SourceError {
  override readonly name = 'RegionBlockedError';
}

/** The exchange understood us and said no (an API error code, a 4xx). */
export class SourceRefusedError extends SourceError {
  override readonly name = 'SourceRefusedError';
}

/** An answer that is not what the API documents; its body is kept so that nobody has to guess. */
export class WrongPayloadError extends SourceError {
  override readonly name = 'WrongPayloadError';
  readonly body: Uint8Array;
  constructor(message: string, details: { url: string; body: Uint8Array; cause?: unknown }) {
    super(message, details);
    this.body = details.body;
  }
}
