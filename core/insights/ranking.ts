import { DAY_MS } from '../market/time.ts';
import { usdTurnovers } from '../market/turnover.ts';
import type { Window } from '../market/window.ts';
import { endedSeries } from './ended.ts';
import { NoAnswerError } from './errors.ts';
import { highest } from './extremes.ts';
import type { MarketTurnovers } from './ports.ts';

/** Series with less data than this are left out of a ranking, unless the question says otherwise. */
export const DEFAULT_MIN_COVERAGE = 0.8;

/** Which series a ranking includes. */
export interface RankingOptions {
  top: number;
  /** The least coverage. @default 0.8, or 0 if no series has that much */
  minCoverage?: number | undefined;
  /** The least turnover of 24 hours at the window's end, in US dollars. @default any, known or not */
  minTurnover?: number | undefined;
  /** Whether markets that ended are ranked. @default false */
  includeEnded?: boolean | undefined;
}

/** What a ranking says about the series that are not in it. */
export interface RankingScope {
  /** The least coverage that was asked for; 0 if no series has the usual one. */
  minCoverage: number;
  /** Whether series whose market ended before the window's end are in the ranking. */
  includeEnded: boolean;
  /** How many series were left out because they ended, then for low coverage, then for low turnover. */
  leftOut: { ended: number; coverage: number; turnover: number };
}

/** What a series needs to be ranked. */
interface Ranked {
  /** `exchange:category:symbol` */
  series: string;
  coverage: number;
  /** The last time with data in the window, epoch ms. */
  lastMs: number;
}

/**
 * The series that a ranking includes. A coin listed yesterday would otherwise lead the ranking of a year. If no series
 * has the usual coverage, because the pipeline has only just started, all are ranked.
 * @throws NoAnswerError if none has what the question asks for
 */
export async function includedIn<R extends Ranked>(
  found: readonly R[],
  window: Window,
  { minCoverage: asked, minTurnover, includeEnded = false }: RankingOptions,
  store: MarketTurnovers,
): Promise<{ included: R[] } & RankingScope> {
  const ended = includeEnded ? new Set<string>() : endedSeries(found);
  const all = found.filter(({ series }) => !ended.has(series));
  const best = highest(all.map(({ coverage }) => coverage));
  const minCoverage = asked ?? (best >= DEFAULT_MIN_COVERAGE ? DEFAULT_MIN_COVERAGE : 0);
  const covered = all.filter(({ coverage }) => coverage >= minCoverage);
  if (covered.length === 0) {
    throw new NoAnswerError(
      'noData',
      `No series has data for ${percentText(minCoverage)} of the window; the best has ${percentText(best)}. ` +
        'Ask for a shorter window or less coverage.',
    );
  }
  const included = minTurnover === undefined ? covered : await traded(covered, window, minTurnover, store);
  const leftOut = {
    ended: ended.size,
    coverage: all.length - covered.length,
    turnover: covered.length - included.length,
  };
  return { included, minCoverage, includeEnded, leftOut };
}

async function traded<R extends Ranked>(
  covered: readonly R[],
  window: Window,
  minTurnover: number,
  store: MarketTurnovers,
): Promise<R[]> {
  const turnovers = await dayTurnovers(window, store);
  const included = covered.filter(({ series }) => (turnovers.get(series) ?? -1) >= minTurnover);
  if (included.length > 0) return included;
  const known = covered.flatMap(({ series }) => turnovers.get(series) ?? []);
  const most =
    known.length > 0
      ? `the largest is ${Math.round(highest(known)).toLocaleString('en-US')} USD`
      : 'no turnover is known there';
  throw new NoAnswerError(
    'noData',
    `No series had a turnover of ${minTurnover.toLocaleString('en-US')} USD in the last 24 hours of the window; ${most}.`,
  );
}

/** Turnovers of the window's last 24 hours in US dollars: from the newest tick, otherwise from candles. */
async function dayTurnovers({ toMs }: Window, store: MarketTurnovers): Promise<Map<string, number>> {
  const day = { fromMs: toMs - DAY_MS, toMs };
  const [ticks, candles] = await Promise.all([store.tickTrades(day), store.candleTrades(day)]);
  return new Map([...usdTurnovers(candles), ...usdTurnovers([ticks])]);
}

function percentText(fraction: number): string {
  return `${Number((fraction * 100).toFixed(1))} %`;
}
