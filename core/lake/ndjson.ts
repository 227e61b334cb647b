import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { shorten } from '../text/show.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** zlib's default, 6, makes tickers 0.7 % smaller but takes 20 % longer. */
const LEVEL = 5;

/** A batch of 20,000 tickers unpacks to 20 MB. */
const MAX_UNPACKED_BYTES = 128 * 1024 * 1024;

/** Unpacked at once, at least and at most. By zlib's 16 KB, a batch of 1,700 tickers takes three times the CPU. */
const PIECE_BYTES = { least: 1024, most: 4 * 1024 * 1024 };

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
  const options = { maxOutputLength: MAX_UNPACKED_BYTES, chunkSize: pieceBytes(body) };
  return (await decompress(body, options)).toString('utf8');
}

/** gzip ends with the length of the text. If that is wrong, unpacking only takes more pieces. */
function pieceBytes(body: Uint8Array): number {
  const end = Buffer.from(body.buffer, body.byteOffset, body.byteLength).subarray(-4);
  const bytes = end.length === 4 ? end.readUInt32LE() + 1 : 0;
  return Math.min(Math.max(bytes, PIECE_BYTES.least), PIECE_BYTES.most);
}

/** gzip NDJSON → its lines. @throws what {@link unpackText} throws */
export async function unpackLines(body: Uint8Array): Promise<string[]> {
  const text = await unpackText(body);
  return text.split('\n').filter((line) => line !== '');
}
