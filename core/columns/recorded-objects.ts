import {
  CANDLES_PREFIX,
  type CandleObject,
  candleObjectKey,
  overlaps,
  parseCandleObjectKey,
} from '../lake/candle-objects.ts';
import { UnreadableObjectError, unpackText } from '../lake/ndjson.ts';
import { type Candle, candleFromHistory } from '../market/candle.ts';
import type { Market } from '../market/series.ts';
import { DAY_MS, dayOf } from '../market/time.ts';
import { readCandleObject, seriesWithPair } from '../operate/backfill/recorded-candles.ts';
import type { ExchangeCandles } from '../operate/ports.ts';
import type { ManifestSource } from './manifest.ts';
import type { ColumnStore } from './ports.ts';

/** An object of recorded candles, as the store lists it. */
export interface RecordedObject extends ManifestSource {
  object: CandleObject;
}

/** Objects read at once. */
const READ_AT_ONCE = 16;

/** A market's recorded objects, the last one written last. */
export async function listRecorded(
  store: Pick<ColumnStore, 'list'>,
  market: Market,
): Promise<RecordedObject[]> {
  const prefix = `${CANDLES_PREFIX}exchange=${market.exchange}/category=${market.category}/`;
  const found: (RecordedObject & { writtenMs: number })[] = [];
  for await (const { key, etag, writtenMs } of store.list(prefix)) {
    const object = parseCandleObjectKey(key);
    if (object) found.push({ key, etag, object, writtenMs });
  }
  return found.sort((a, b) => a.writtenMs - b.writtenMs || (a.key < b.key ? -1 : 1));
}

/** The recorded objects among sources. */
export function recordedIn(sources: readonly ManifestSource[]): ManifestSource[] {
  return sources.filter(({ key }) => key.startsWith(CANDLES_PREFIX));
}

/** The recorded objects among sources that may have candles of some days. */
export function objectsOf(sources: readonly ManifestSource[], days: readonly number[]): CandleObject[] {
  return sources
    .flatMap(({ key }) => parseCandleObjectKey(key) ?? [])
    .filter((object) => days.some((startMs) => overlaps(object, startMs, startMs + DAY_MS)));
}

interface RecordedServices {
  store: Pick<ColumnStore, 'read'>;
  exchangeCandles: Pick<ExchangeCandles, 'parse' | 'pairOf'>;
}

/** The candles of recorded objects that lie in some days, object by object. */
export async function* recordedCandles(
  sources: readonly ManifestSource[],
  days: readonly number[],
  { store, exchangeCandles }: RecordedServices,
  onUnreadable: (error: UnreadableObjectError) => void,
): AsyncGenerator<Candle[]> {
  const inDays = new Set(days);
  const objects = objectsOf(sources, days);
  for (let position = 0; position < objects.length; position += READ_AT_ONCE) {
    const some = objects.slice(position, position + READ_AT_ONCE);
    const contents = await Promise.all(some.map((object) => store.read(candleObjectKey(object))));
    for (const [index, object] of some.entries()) {
      const body = contents[index];
      // Deleted since it was listed: the next listing differs.
      if (!body) continue;
      try {
        const rows = readCandleObject(object, await textOf(object, body), exchangeCandles);
        const series = seriesWithPair(object, exchangeCandles);
        const wanted = rows.filter(({ startMs }) => inDays.has(dayOf(startMs)));
        yield wanted.map((row) => candleFromHistory(series, row, object.hours));
      } catch (error) {
        if (!(error instanceof UnreadableObjectError)) throw error;
        onUnreadable(error);
      }
    }
  }
}

async function textOf(object: CandleObject, body: Uint8Array): Promise<string> {
  try {
    return await unpackText(body);
  } catch (cause) {
    throw new UnreadableObjectError(candleObjectKey(object), cause);
  }
}
