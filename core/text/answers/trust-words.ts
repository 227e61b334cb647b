import type { WithoutData } from '../../completeness/absence.ts';
import type { RankingScope } from '../../insights/ranking.ts';
import type { HourSource, Trust } from '../../insights/trust.ts';
import { counted, formatCount } from '../format.ts';
import { percentOf, shareText, timeText } from './words.ts';

/** Below this coverage an answer says in words that it is incomplete. */
const COMPLETE = 0.9;

const SOURCE_NAMES: Readonly<Record<HourSource, string>> = {
  ticks: 'ticks',
  hourly: 'hourly candles',
  daily: 'daily candles',
};
const SOURCES = Object.keys(SOURCE_NAMES) as HourSource[];

/** `93.2 % ticks, 6.8 % hourly candles` */
export function sourcesText({ sources }: Pick<Trust, 'sources'>): string {
  return SOURCES.filter((source) => sources[source] > 0)
    .map((source) => `${shareText(sources[source])} ${SOURCE_NAMES[source]}`)
    .join(', ');
}

/** `15 min`; by source if they differ: `2 min (ticks), 15 min (hourly candles)`. */
export function samplingText({
  samplingIntervalSeconds,
  samplingIntervalSecondsBySource: bySource,
}: Pick<Trust, 'samplingIntervalSeconds' | 'samplingIntervalSecondsBySource'>): string {
  const present = SOURCES.flatMap((source) => {
    const seconds = bySource[source];
    return seconds === undefined ? [] : [`${durationText(seconds)} (${SOURCE_NAMES[source]})`];
  });
  return new Set(Object.values(bySource)).size > 1
    ? present.join(', ')
    : durationText(samplingIntervalSeconds);
}

function durationText(seconds: number): string {
  const rounded = Math.round(seconds);
  if (rounded % 3_600 === 0) return `${rounded / 3_600} h`;
  return rounded % 60 === 0 ? `${rounded / 60} min` : `${rounded} s`;
}

/** Notes on how far to trust an answer; empty if its data is complete. */
export function trustNotes({
  coverage,
  longestGapHours,
  staleHours,
  withoutData,
  hours,
}: Pick<Trust, 'longestGapHours' | 'staleHours' | 'withoutData'> & {
  coverage: number;
  hours?: number;
}): string[] {
  const notes: string[] = [];
  const why = withoutData ? [withoutDataText(withoutData)] : [];
  if (coverage < COMPLETE) {
    const gap = longestGapHours > 0 ? `; the longest gap is ${timeText(longestGapHours)}` : '';
    const incomplete = `Incomplete: only ${shareText(coverage)} of the window has data${gap}. The rest may have been different.`;
    notes.push([incomplete, ...why].join(' '));
  } else notes.push(...why);
  if (hours !== undefined && staleHours > hours * (1 - COMPLETE)) {
    notes.push(
      `Stale: in ${formatCount(staleHours)} of ${formatCount(hours)} hours the price did not change at all.`,
    );
  }
  return notes;
}

/** `Of 312 hours without data, 300 while its market was not listed, 10 while the exchange did not answer, 2 missing.` */
function withoutDataText(of: WithoutData): string {
  if (of.hours === 0) return 'Every hour has data, but not from every poll that was due.';
  const rest = of.missing - of.beforeFirstPoll - of.afterLastPoll;
  const parts: [hours: number, why: string][] = [
    [of.notListed, 'while its market was not listed'],
    [of.exchangeDown, 'while the exchange did not answer'],
    [of.beforeFirstPoll, 'before the first poll of its market'],
    [of.afterLastPoll, 'after the last poll of its market'],
    [rest, 'missing'],
  ];
  const reasons = parts.filter(([hours]) => hours > 0).map(([hours, why]) => `${formatCount(hours)} ${why}`);
  return `Of ${counted(of.hours, 'hour')} without data, ${reasons.join(', ')}.`;
}

/** Which series a ranking leaves out, and how incomplete those in it are. */
export function rankingNotes(
  { minCoverage = 0, includeEnded, leftOut }: Partial<RankingScope>,
  ranked: readonly { coverage: number }[],
): string[] {
  const out: string[] = [];
  if (leftOut?.ended) out.push(`${formatCount(leftOut.ended)} series that ended (--include-ended)`);
  if (leftOut?.coverage) {
    out.push(
      `${formatCount(leftOut.coverage)} series with data for less than ${percentOf(minCoverage)} % of the window (--min-coverage)`,
    );
  }
  if (leftOut?.turnover) {
    out.push(`${formatCount(leftOut.turnover)} series with less turnover in 24 hours (--min-turnover)`);
  }
  const notes = out.length > 0 ? [`Left out: ${out.join('; ')}.`] : [];
  if (includeEnded) notes.push('Series that ended are included.');
  const most = Math.max(...ranked.map(({ coverage }) => coverage));
  const least = Math.min(...ranked.map(({ coverage }) => coverage));
  if (least < COMPLETE) {
    const range = most === least ? shareText(most) : `${shareText(least)} to ${shareText(most)}`;
    notes.push(`Incomplete: these series have data for ${range} of the window.`);
  }
  return notes;
}
