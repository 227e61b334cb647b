import { formatSeries, type Series } from '../market/series.ts';
import type { Window } from '../market/window.ts';
import { highest, lowest } from './extremes.ts';
import type { Scope } from './ports.ts';

/** Why a valid question has no answer. */
export type NoAnswerReason = 'noData' | 'unknownSymbol' | 'ambiguousSymbol';

/** A valid question has no answer; the message says what to ask instead. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly reason: NoAnswerReason;
  /** Series or symbols to ask for instead. */
  readonly choices: readonly string[];

  constructor(reason: NoAnswerReason, message: string, choices: readonly string[] = []) {
    super(message);
    this.reason = reason;
    this.choices = choices;
  }
}

/** For messages: `2018-07-01 00:00 to 2018-07-02 00:00 UTC`. */
export function rangeText({ fromMs, toMs }: Window): string {
  return `${shortTime(fromMs)} to ${shortTime(toMs)} UTC`;
}

function shortTime(timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, timeMs % 60_000 === 0 ? 16 : 19)}`;
}

/** A series has no data in a window. */
export function noDataOf(series: Series, window: Window, span: Window | undefined): NoAnswerError {
  const there = span ? `it has data from ${rangeText(span)}` : 'it has no data at all';
  return new NoAnswerError(
    'noData',
    `${formatSeries(series)} has no data from ${rangeText(window)}; ${there}.`,
  );
}

/** No series in scope has data in a window. */
export function noDataIn(
  scope: Scope,
  window: Window,
  extents: readonly { firstMs: number; endMs: number }[],
): NoAnswerError {
  const span = {
    fromMs: lowest(extents.map(({ firstMs }) => firstMs)),
    toMs: highest(extents.map(({ endMs }) => endMs)),
  };
  const there = extents.length > 0 ? `there is data from ${rangeText(span)}` : 'there is none at all';
  return new NoAnswerError(
    'noData',
    `There is no data ${placeOf(scope)} from ${rangeText(window)}; ${there}.`,
  );
}

/** For messages: `in bybit:linear`. */
export function placeOf({ exchange, category }: Scope): string {
  if (exchange === undefined && category === undefined) return 'here';
  if (exchange === undefined) return `in any ${category} market`;
  return `in ${exchange}${category === undefined ? '' : `:${category}`}`;
}
