import type { Series } from '../../../core/market/series.ts';
import { quoted } from '../sql-text.ts';

/** Columns that name a series. */
export const SERIES_COLUMNS = 'exchange, category, symbol';

export function list(values: readonly string[]): string {
  return `(${values.map(quoted).join(', ')})`;
}

/** Epoch milliseconds of a column, as a number. */
export function ms(column: string): string {
  return `epoch_ms(${column})::DOUBLE`;
}

/** The time of epoch milliseconds. */
export function time(epochMs: number): string {
  return `make_timestamptz(${Math.round(epochMs)}::BIGINT * 1000)`;
}

/** Times in [fromMs, toMs); an end left out is open. */
export function between(column: string, fromMs?: number, toMs?: number): string {
  const conditions = [
    ...(fromMs === undefined ? [] : [`${column} >= ${time(fromMs)}`]),
    ...(toMs === undefined ? [] : [`${column} < ${time(toMs)}`]),
  ];
  return conditions.length === 0 ? 'true' : conditions.join(' AND ');
}

export function ofSeries({ exchange, category, symbol }: Series): string {
  return `exchange = ${quoted(exchange)} AND category = ${quoted(category)} AND symbol = ${quoted(symbol)}`;
}
