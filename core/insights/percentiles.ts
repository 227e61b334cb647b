import type { CandleSeries } from '../market/candle.ts';
import { formatSeries } from '../market/series.ts';
import { isoWindow, type Window } from '../market/window.ts';
import { NoAnswerError, placeOf, rangeText } from './errors.ts';
import { highest, lowest } from './extremes.ts';
import type { ChangePercentiles, ChangeStore, Scope } from './ports.ts';

/** The percentiles over a window (ISO 8601 UTC), widest spread first. */
export interface PercentilesOver {
  from: string;
  to: string;
  series: ChangePercentiles[];
}

/**
 * The percentiles of `price_24h_pcnt` over the ticks of the window: of one series, or of the `top` series in scope with
 * the widest spread.
 * @throws NoAnswerError if no tick in the window reports a 24 h change
 */
export async function changePercentiles(
  store: ChangeStore,
  which: { series: CandleSeries } | { scope: Scope; top: number },
  window: Window,
  percents: readonly number[],
): Promise<PercentilesOver> {
  const found =
    'series' in which
      ? await percentilesOfOne(store, which.series, window, percents)
      : (await store.changePercentiles(which.scope, window, percents))
          .sort((a, b) => spreadOf(b) - spreadOf(a) || (a.series < b.series ? -1 : 1))
          .slice(0, which.top);
  if (found.length === 0) {
    const of = 'series' in which ? formatSeries(which.series) : `anything ${placeOf(which.scope)}`;
    throw new NoAnswerError(
      'noData',
      `No tick of ${of} from ${rangeText(window)} reports a 24 h change. Percentiles come from ticks, which are kept for 90 days by default; candles do not have them.`,
    );
  }
  return { ...isoWindow(window), series: found };
}

/** An empty list if the series' ticks report no 24 h change. */
export function percentilesOfOne(
  store: ChangeStore,
  { exchange, category, symbol }: CandleSeries,
  window: Window,
  percents: readonly number[],
): Promise<ChangePercentiles[]> {
  return store.changePercentiles({ exchange, category, symbol }, window, percents);
}

function spreadOf({ percentiles }: ChangePercentiles): number {
  const values = Object.values(percentiles);
  return highest(values) - lowest(values);
}
