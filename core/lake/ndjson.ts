import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { shorten } from '../text/show.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** zlib's default, 6, makes tickers 0.7 % smaller but takes 20 % longer. */
const LEVEL = 5;

/** A batch of 20,000 tickers unpacks to 20 MB. */
const MAX_UNPACKED_BYTES = 128 * 1024 * 1024;

/** With zlib's pieces of 16 KB, unpacking takes twice the CPU; in one piece a bit less, but then the process is larger. */
const PIECE_BYTES = 64 * 1024;

/** An object is not what its key says; reading it again will not help. */
export class UnreadableObjectError extends Error {
  override readonly name = 'UnreadableObjectError';
  readonly key: string;
  constructor(key: string, cause: unknown) {
    super(shorten(`${key} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`), {
      cause,
    });
    this.key = key;
  }
}

/** Lines of JSON → gzip NDJSON. */
export function packLines(lines: readonly string[]): Promise<Buffer> {
  return compress(`${lines.join('\n')}\n`, { level: LEVEL });
}

/** gzip → text. @throws zlib's errors if the body is not gzip, or unpacks to more than any of our objects has */
export async function unpackText(body: Uint8Array): Promise<string> {
  const options = { maxOutputLength: MAX_UNPACKED_BYTES, chunkSize: PIECE_BYTES };
  return (await decompress(body, options)).toString('utf8');
}

/** gzip NDJSON → its lines. @throws what {@link unpackText} throws */
export async function unpackLines(body: Uint8Array): Promise<string[]> {
  const text = await unpackText(body);
  return text.split('\n').filter((line) => line !== '');
}
