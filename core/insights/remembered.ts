import { formatSeries } from '../market/series.ts';
import type { Window } from '../market/window.ts';
import { ALL_TIME } from './history.ts';
import type { SeriesStore } from './ports.ts';

/** Whole histories with their paths are large, and one currency is asked about at a time. */
const MOST_WITH_PATHS = 1;
/** Enough for the series that one currency is compared with, over every window. */
const MOST_PATHLESS = 64;

/**
 * A store that reads the candles of a series and window once: the pictures of a report ask for the same ones
 * many times. It lives for one invocation, so nothing gets stale.
 */
export function remembered(store: SeriesStore): SeriesStore {
  const { absence: read } = store;
  const absence = read && once((series) => read.call(store, series), MOST_PATHLESS);
  return {
    candles: once((series, window) => store.candles(series, window), MOST_WITH_PATHS),
    pathlessCandles: once((series, window) => store.pathlessCandles(series, window), MOST_PATHLESS),
    candleBefore: (series, timeMs) => store.candleBefore(series, timeMs),
    ticks: (series, windows) => store.ticks(series, windows),
    span: (series) => store.span(series),
    quote: (series) => store.quote(series),
    ...(absence ? { absence: (series) => absence(series, ALL_TIME) } : {}),
  };
}

type Read<T> = (series: Parameters<SeriesStore['candles']>[0], window: Window) => Promise<T>;

/** The oldest answers are forgotten first. */
function once<T>(read: Read<T>, most: number): Read<T> {
  const answers = new Map<string, Promise<T>>();
  return (series, window) => {
    const key = `${formatSeries(series)} ${window.fromMs} ${window.toMs}`;
    const known = answers.get(key);
    if (known) return known;
    const answer = read(series, window);
    answers.set(key, answer);
    for (const oldest of answers.keys()) {
      if (answers.size <= most) break;
      answers.delete(oldest);
    }
    return answer;
  };
}
