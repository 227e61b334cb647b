import type { Candle } from '../../core/market/candle.ts';

/** A candle as its index stores it: `start` is ISO 8601 UTC with milliseconds. */
export type CandleRecord = Omit<Candle, 'startMs'> & { start: string };

export function candleRecord({ startMs, ...candle }: Candle): CandleRecord {
  return { ...candle, start: new Date(startMs).toISOString() };
}

export function candleOf({ start, ...record }: CandleRecord): Candle {
  return { ...record, startMs: Date.parse(start) };
}
