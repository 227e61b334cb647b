import { AnswerTooLargeError, SourceRefusedError } from '../../core/ingest/source-errors.ts';
import { shorten } from '../../core/text/show.ts';

/** An answer may have this many bytes, unpacked. The largest known, all products of one exchange, has 6 MB. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Brackets, commas and colons of an answer: millions of `[]` fit into few bytes, but take a gigabyte once parsed. */
const MAX_ANSWER_PARTS = 2_000_000;
/** 1 for each of these bytes: a table, because millions are looked up. */
const PARTS_OF_BYTE = new Uint8Array(256);
for (const byte of Buffer.from('[{:,')) PARTS_OF_BYTE[byte] = 1;

/**
 * `fetch` for hosts that nobody here controls: it does not follow redirects, which could lead anywhere, and stops
 * reading an answer that is too large, when unpacked or once parsed. Reading the body then throws
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

/** Fails once more than the limit has passed through. */
function atMost(url: string): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  let parts = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      parts += partsIn(chunk);
      const excess = whatExceeds(bytes, parts);
      if (!excess) controller.enqueue(chunk);
      else controller.error(new AnswerTooLargeError(url, `${excess}; the rest was not read`));
    },
  });
}

function partsIn(chunk: Uint8Array): number {
  let parts = 0;
  for (let at = 0; at < chunk.length; at += 1) parts += PARTS_OF_BYTE[chunk[at] as number] as number;
  return parts;
}

function whatExceeds(bytes: number, parts: number): string | undefined {
  if (bytes > MAX_ANSWER_BYTES) return 'more than 32 MiB';
  if (parts > MAX_ANSWER_PARTS) return `more than ${MAX_ANSWER_PARTS} values`;
  return undefined;
}
