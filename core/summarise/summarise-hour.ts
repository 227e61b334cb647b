import { candleFromTicks } from '../market/candle.ts';
import type { CandleStore, LedgerStore, MoveStore, TickHours } from './ports.ts';
import type { SummarySettings } from './settings.ts';
import { type WriteOptions, type WrittenCandles, writeCandles } from './write-candles.ts';

/** Makes one hour's candles from its ticks, and their moves if they can be made now. */
export async function summariseHour(
  hourMs: number,
  ticks: Pick<TickHours, 'ticksOf' | 'hasAllTicks'>,
  options: Pick<WriteOptions, 'makeMoves' | 'beforeReopening'>,
  settings: SummarySettings,
  store: CandleStore & MoveStore & LedgerStore,
): Promise<WrittenCandles> {
  const [ofHour, existing] = await Promise.all([ticks.ticksOf(hourMs), store.candlesAround(hourMs)]);
  const proposals = ofHour.map(({ series, ticks: prices }) => candleFromTicks(series, hourMs, prices));
  const { hasAllTicks } = ticks;
  return writeCandles(proposals, existing, { ...options, hasAllTicks }, settings, store);
}
