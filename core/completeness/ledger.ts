import type { PathlessCandle } from '../market/candle.ts';
import { HOUR_MS } from '../market/time.ts';
import type { Window } from '../market/window.ts';
import { type Absence, stateWithoutData } from './absence.ts';
import { type HourState, isPresent, type Origin } from './states.ts';

/** Why hours are missing: nobody had polled the market yet; nobody polled it; or the polls did not find the series. */
export const MISSING_REASONS = ['before the first poll', 'no poll', 'not in the polls'] as const;
export type MissingReason = (typeof MISSING_REASONS)[number];

/** A run of hours of one series in the same state, [fromMs, toMs). */
export interface LedgerEntry extends Window {
  state: HourState;
  /** Where the prices come from; only of hours with data. */
  origin?: Origin;
  /** Only of missing hours. */
  reason?: MissingReason;
  /** The exchange was asked for its own candles of these hours, and has none. Left out of hours that have a candle. */
  asked?: true;
}

export type LedgerCandle = Pick<PathlessCandle, 'startMs' | 'hours' | 'samples' | 'polls_due' | 'source'>;

/** What the ledger of one series is made of, besides its candles. */
export interface LedgerFacts {
  absence: Absence;
  /** Polls due in an hour whose candle does not say. */
  pollsDueIn: (hourMs: number) => number;
  originOf: (candle: LedgerCandle) => Origin;
  /** Whether the lake has a batch of the market in an hour. */
  isPolled: (hourMs: number) => boolean;
  /** Whether the exchange was asked for its candle of an hour. */
  isAsked: (hourMs: number) => boolean;
}

/**
 * The completeness ledger of one series: each hour of the window in one entry, in time order, as few entries as possible.
 * @param candles that cover hours of the window
 * @param window whole hours
 */
export function ledgerOf(
  candles: readonly LedgerCandle[],
  { fromMs, toMs }: Window,
  facts: LedgerFacts,
): LedgerEntry[] {
  const covering = new Map<number, LedgerCandle>();
  // An hourly candle takes precedence over a daily one.
  for (const candle of [...candles].sort((a, b) => b.hours - a.hours)) {
    for (let hour = 0; hour < candle.hours; hour += 1) covering.set(candle.startMs + hour * HOUR_MS, candle);
  }
  const entries: LedgerEntry[] = [];
  for (let hourMs = fromMs; hourMs < toMs; hourMs += HOUR_MS) {
    const entry = entryOf(hourMs, covering.get(hourMs), facts);
    const last = entries.at(-1);
    if (last && isSame(last, entry)) last.toMs = entry.toMs;
    else entries.push(entry);
  }
  return entries;
}

function entryOf(hourMs: number, candle: LedgerCandle | undefined, facts: LedgerFacts): LedgerEntry {
  const hour = { fromMs: hourMs, toMs: hourMs + HOUR_MS };
  const asked = facts.isAsked(hourMs) ? { asked: true as const } : {};
  if (candle) {
    const origin = facts.originOf(candle);
    const due = (candle.polls_due ?? facts.pollsDueIn(candle.startMs)) * listedShare(hourMs, facts.absence);
    if (candle.source === 'backfill' || isPresent(candle.samples, due)) {
      return { ...hour, state: 'present', origin };
    }
    return { ...hour, state: 'partial', origin, ...asked };
  }
  const state = stateWithoutData(hourMs, facts.absence);
  if (state === 'not listed') return { ...hour, state };
  if (state === 'exchange down') return { ...hour, state, ...asked };
  return { ...hour, state, reason: reasonOf(hourMs, facts), ...asked };
}

/** The part of an hour in which the market existed: no poll is due in the rest. */
function listedShare(hourMs: number, { notListed }: Pick<Absence, 'notListed'>): number {
  const unlistedMs = notListed.map(({ fromMs, toMs }) =>
    Math.max(0, Math.min(toMs, hourMs + HOUR_MS) - Math.max(fromMs, hourMs)),
  );
  return 1 - unlistedMs.reduce((sum, ms) => sum + ms, 0) / HOUR_MS;
}

function reasonOf(hourMs: number, { absence: { polls }, isPolled }: LedgerFacts): MissingReason {
  if (polls && hourMs + HOUR_MS <= polls.firstMs) return 'before the first poll';
  return isPolled(hourMs) ? 'not in the polls' : 'no poll';
}

function isSame(a: LedgerEntry, b: LedgerEntry): boolean {
  return a.state === b.state && a.origin === b.origin && a.reason === b.reason && a.asked === b.asked;
}

/** Whether the exchange's own candles may fill an entry. */
export function isRepairable({ state, asked }: Pick<LedgerEntry, 'state' | 'asked'>): boolean {
  return !asked && (state === 'partial' || state === 'exchange down' || state === 'missing');
}

/** How many hours there are in each state. */
export type HoursByState = Record<HourState, number>;

export function hoursByState(entries: readonly LedgerEntry[]): HoursByState {
  const hours = { present: 0, partial: 0, 'exchange down': 0, 'not listed': 0, missing: 0 };
  for (const { state, fromMs, toMs } of entries) hours[state] += (toMs - fromMs) / HOUR_MS;
  return hours;
}
