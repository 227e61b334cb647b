import { parseSeries } from '../market/series.ts';
import { DAY_MS } from '../market/time.ts';

/** Longer than an exchange's maintenance, shorter than the shortest ranking that anyone asks for. */
export const SILENCE_MS = 2 * DAY_MS;

/**
 * The series that ended: those without data in the last two days for which their market (exchange and
 * category) has any. So an outage of a whole exchange, or of the pipeline, ends nothing. @param all by name,
 * with the last time that each has data for, epoch ms
 */
export function endedSeries(all: readonly { series: string; lastMs: number }[]): Set<string> {
  const marketOf = (series: string) => {
    const { exchange, category } = parseSeries(series);
    return `${exchange}:${category}`;
  };
  const newest = new Map<string, number>();
  for (const { series, lastMs } of all) {
    const market = marketOf(series);
    newest.set(market, Math.max(lastMs, newest.get(market) ?? lastMs));
  }
  return new Set(
    all
      .filter(({ series, lastMs }) => lastMs < (newest.get(marketOf(series)) ?? lastMs) - SILENCE_MS)
      .map(({ series }) => series),
  );
}
