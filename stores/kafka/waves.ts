import type { StreamRecord } from '../../core/ingest/ports.ts';

/** By default a broker takes record batches of 1 MiB; this stays below it even if nothing compresses. */
const MAX_REQUEST_BYTES = 900_000;
const REQUESTS_AT_ONCE = 4;

/**
 * Records as requests, in waves. The requests of a wave are sent at once, so a key is in only one of them, which keeps
 * the order within the key.
 */
export function* wavesOf(records: readonly StreamRecord[]): Generator<StreamRecord[][]> {
  let wave: StreamRecord[][] = [];
  /** The request of each key in the wave. */
  let keys = new Map<string, StreamRecord[]>();
  let request: StreamRecord[] | undefined;
  let bytes = 0;
  for (const record of records) {
    const size = Buffer.byteLength(record.value) + record.key.length + 32;
    const isFull = request !== undefined && bytes + size > MAX_REQUEST_BYTES;
    const hasKey = keys.get(record.key);
    const isOver = isFull && wave.length === REQUESTS_AT_ONCE;
    if (isOver || (hasKey !== undefined && (isFull || hasKey !== request))) {
      yield wave;
      [wave, keys, request] = [[], new Map(), undefined];
    }
    if (request === undefined || isFull) {
      request = [];
      bytes = 0;
      wave.push(request);
    }
    request.push(record);
    bytes += size;
    keys.set(record.key, request);
  }
  if (wave.length > 0) yield wave;
}
