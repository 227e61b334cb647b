import { candleFromTicks } from '../market/candle.ts';
import { formatMarket } from '../market/series.ts';
import type { CandleStore, LedgerStore, MarketTicks, MoveStore, TickHours } from './ports.ts';
import type { SummarySettings } from './settings.ts';
import { type WriteOptions, type WrittenCandles, writeCandles } from './write-candles.ts';

/** Markets that are summarised at the same time: one computes while the other waits for OpenSearch. */
const MARKETS_AT_ONCE = 2;

export interface HourOptions extends Pick<WriteOptions, 'makeMoves' | 'beforeReopening'> {
  /**
   * What an earlier run did: markets, by `formatMarket`, and how many ticks the hour had then. If the number
   * has changed, all its markets are made again. @default nothing
   */
  begun?: { done: readonly string[]; ticks: number } | undefined;
  /** Called after each market but the last: all that are done, and how many ticks the hour had before any was read. */
  onMarket?: (done: readonly string[], ticks: number) => Promise<void>;
  /** Whether there is time for another market; not asked before the first. @default there is */
  hasTime?: () => boolean;
}

export interface WrittenHour extends WrittenCandles {
  /** How many ticks it had, over all series, before any was read; 0 if the source does not say. */
  ticks: number;
  /** False if the time ran out before the last market. */
  isComplete: boolean;
}

/**
 * Makes one hour's candles from its ticks, and their moves if they can be made now. It does so market by market, so that
 * the memory it takes does not grow with the number of exchanges.
 */
export async function summariseHour(
  hourMs: number,
  ticks: Pick<TickHours, 'marketsOf' | 'ticksOf' | 'hasAllTicks'>,
  options: HourOptions,
  settings: SummarySettings,
  store: CandleStore & MoveStore & LedgerStore,
): Promise<WrittenHour> {
  const { begun: before, onMarket, hasTime = () => true } = options;
  const markets = await ticks.marketsOf(hourMs);
  const total = markets.reduce((sum, market) => sum + (market.ticks ?? 0), 0);
  const done = before?.ticks === total ? [...before.done] : [];
  const waiting = markets.filter((market) => !done.includes(formatMarket(market)));
  const written: WrittenHour = { candles: 0, moves: 0, removed: 0, ticks: total, isComplete: true };
  let begun = 0;
  let failed = false;
  const worker = async () => {
    while (waiting.length > 0 && !failed && (begun === 0 || hasTime())) {
      begun += 1;
      const market = waiting.shift() as MarketTicks;
      try {
        const { candles, moves, removed } = await summariseMarket(
          hourMs,
          market,
          ticks,
          options,
          settings,
          store,
        );
        written.candles += candles;
        written.moves += moves;
        written.removed += removed;
        done.push(formatMarket(market));
        if (waiting.length > 0) await onMarket?.(done, total);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  // Nothing may be written any more when this returns, because the lease is given back then.
  const ended = await Promise.allSettled(Array.from({ length: MARKETS_AT_ONCE }, worker));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return { ...written, isComplete: waiting.length === 0 };
}

async function summariseMarket(
  hourMs: number,
  market: MarketTicks,
  ticks: Pick<TickHours, 'ticksOf' | 'hasAllTicks'>,
  options: HourOptions,
  settings: SummarySettings,
  store: CandleStore & MoveStore & LedgerStore,
): Promise<WrittenCandles> {
  const [ofHour, existing] = await Promise.all([
    ticks.ticksOf(hourMs, market),
    store.candlesAround(hourMs, market),
  ]);
  const proposals = ofHour.map(({ series, ticks: prices }) => candleFromTicks(series, hourMs, prices));
  const { makeMoves, beforeReopening } = options;
  const { hasAllTicks } = ticks;
  return writeCandles(proposals, existing, { makeMoves, beforeReopening, hasAllTicks }, settings, store);
}
