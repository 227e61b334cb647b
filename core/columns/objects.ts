import { isCategory, type Market } from '../market/series.ts';
import { DAY_MS } from '../market/time.ts';
import type { Window } from '../market/window.ts';
import { COLUMN_TABLES, type ColumnTable, PERIOD_FOLDERS } from './tables.ts';

/** One Parquet file of the lake: a market's rows of one period. */
export interface ColumnFile extends Market {
  table: ColumnTable;
  /** `YYYY-MM-DD` of tickers, `YYYY-MM` of candles and moves; UTC. */
  period: string;
}

export const COLUMNS_PREFIX = 'columns/';
/** Outside the tables' folders, which contain only what readers read. */
export const MANIFESTS_PREFIX = `${COLUMNS_PREFIX}manifest/`;

export const STATES_PREFIX = `${COLUMNS_PREFIX}state/`;

function folderOf({ table, exchange, category }: Omit<ColumnFile, 'period'>): string {
  return `${table}/exchange=${exchange}/category=${category}/`;
}

function periodFolder({ table, period }: Pick<ColumnFile, 'table' | 'period'>): string {
  return `${PERIOD_FOLDERS[table]}=${period}`;
}

/**
 * `columns/tickers/exchange=…/category=…/dt=YYYY-MM-DD/part-0.parquet`, `columns/candles/…/month=YYYY-MM/part-0.parquet`. A
 * file that is made again replaces itself, so readers of a folder never see a row twice.
 */
export function columnKey(file: ColumnFile): string {
  return `${columnsPrefix(file)}${periodFolder(file)}/part-0.parquet`;
}

/** The prefix of the files of a market's table; their keys sort by period. */
export function columnsPrefix(file: Omit<ColumnFile, 'period'>): string {
  return `${COLUMNS_PREFIX}${folderOf(file)}`;
}

/** `columns/manifest/tickers/exchange=…/category=…/dt=YYYY-MM-DD.json` */
export function manifestKey(file: ColumnFile): string {
  return `${manifestsPrefix(file)}${periodFolder(file)}.json`;
}

/**
 * `columns/state/moves/exchange=…/category=…/month=YYYY-MM.parquet`: what the move detectors remember at the end of a month,
 * to go on with the next one. Not a table: its rows are ours alone.
 */
export function statesKey(file: ColumnFile): string {
  return `${statesPrefix(file)}${periodFolder(file)}.parquet`;
}

/** The prefix of what is remembered of a market's table. */
export function statesPrefix(file: Omit<ColumnFile, 'period'>): string {
  return `${STATES_PREFIX}${folderOf(file)}`;
}

/** The prefix of the manifests of a market's table; their keys sort by period. */
export function manifestsPrefix(file: Omit<ColumnFile, 'period'>): string {
  return `${MANIFESTS_PREFIX}${folderOf(file)}`;
}

/** The time that a file's period covers. */
export function periodWindow({ period }: Pick<ColumnFile, 'period'>): Window {
  const [year = 0, month = 0, day] = period.split('-').map(Number);
  const fromMs = Date.UTC(year, month - 1, day ?? 1);
  return { fromMs, toMs: day === undefined ? Date.UTC(year, month, 1) : fromMs + DAY_MS };
}

const MANIFEST_KEY =
  /^columns\/manifest\/([a-z]+)\/exchange=([^/]+)\/category=([^/]+)\/(?:dt|month)=([\d-]+)\.json$/;

/** The reverse of {@link manifestKey}; undefined for any other key. */
export function parseManifestKey(key: string): ColumnFile | undefined {
  const [, name, exchange, category, period] = MANIFEST_KEY.exec(key) ?? [];
  const table = COLUMN_TABLES.find((known) => known === name);
  if (!table || !exchange || !isCategory(category) || !period) return undefined;
  const file = { table, exchange, category, period };
  return manifestKey(file) === key ? file : undefined;
}
