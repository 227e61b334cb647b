import { AnswerTooLargeError, SourceRefusedError } from '../../core/ingest/source-errors.ts';
import { shorten } from '../../core/text/show.ts';

/** An answer may have this many bytes, unpacked. The largest known, all products of one exchange, has 6 MB. */
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * `fetch` for hosts that nobody here controls: it does not follow redirects, which could lead anywhere, and stops
 * reading an answer that is too large, however small it was when packed. Reading the body then throws
 * {@link AnswerTooLargeError}.
 * @throws SourceRefusedError for a redirect; what `fetch` throws
 */
export async function fetchAnswer(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  const { body, status, statusText, headers } = response;
  const location = headers.get('location');
  if (status >= 300 && status < 400 && location !== null) {
    const target = shorten(location, 200);
    throw new SourceRefusedError(
      `${url} answered ${status}: a redirect to ${target}, which is not followed`,
      {
        url,
      },
    );
  }
  return body ? new Response(body.pipeThrough(atMost(url)), { status, statusText, headers }) : response;
}

/** Counts the bytes that pass and fails when there are too many. */
function atMost(url: string): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(part, controller) {
      bytes += part.byteLength;
      if (bytes <= MAX_ANSWER_BYTES) controller.enqueue(part);
      else controller.error(new AnswerTooLargeError(url, 'more than 32 MiB; the rest was not read'));
    },
  });
}
