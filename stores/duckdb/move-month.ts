import { createHash } from 'node:crypto';
import { MoveWalk } from '../../core/columns/move-walk.ts';
import { columnsOf } from '../../core/columns/tables.ts';
import type { DetectedMove, MoveState } from '../../core/market/directional-change.ts';
import { MOVE_VERSION } from '../../core/market/directional-change.ts';
import type { Database } from './database.ts';
import { writeParquet } from './parquet.ts';
import { StagedRows } from './staged-rows.ts';

/** What walking a month found out about moves of earlier months. */
export interface WalkedMonth {
  /** A query for the moves confirmed in the month, with their ends if those were confirmed in it. */
  moves: string;
  /** A query for the states of every series' detectors at its end. */
  states: string;
  /** SHA-256 of the ends that it confirmed, by the month (`YYYY-MM`) of the moves that ended. */
  completes: Record<string, string>;
}

const COLUMNS = columnsOf('moves');
/** A state is the JSON of a `MoveState`. */
const STATE_COLUMNS = { symbol: 'name', threshold: 'fraction', state: 'text' } as const;
const STATES = 'SELECT symbol, threshold, state FROM';

/**
 * Walks the price paths of a month, series by series.
 * @param candles the month's Parquet file
 * @param before the states at the end of the month before, a Parquet file. @default there is none
 * @param folder for temporary files, deleted by the caller when the queries are no longer needed
 */
export async function walkMonth(
  database: Database,
  candles: string,
  before: string | undefined,
  thresholds: readonly number[],
  folder: string,
): Promise<WalkedMonth> {
  const inMonth = `SELECT DISTINCT symbol FROM read_parquet('${candles}')`;
  const symbols = (await database.rows<{ symbol: string }>(`${inMonth} ORDER BY symbol`)).map(
    ({ symbol }) => symbol,
  );
  const states = before
    ? await statesOf(database, before, inMonth)
    : new Map<string, Map<number, MoveState>>();
  const moves = new StagedRows(`${folder}/moves.ndjson`, COLUMNS);
  const statesAfter = new StagedRows(`${folder}/states.ndjson`, STATE_COLUMNS);
  const completed = new Map<string, ReturnType<typeof createHash>>();
  const end = (symbol: string, walk: MoveWalk) => {
    const walked = walk.end();
    for (const move of walked.moves) moves.add({ v: MOVE_VERSION, symbol, ...move });
    for (const [threshold, state] of walked.states) {
      statesAfter.add({ symbol, threshold, state: JSON.stringify(state) });
    }
    for (const move of walked.completed) addEnd(completed, symbol, move);
  };
  let [series, walk] = [-1, undefined as MoveWalk | undefined];
  for await (const { count, value } of database.numbers(pointsOf(candles))) {
    for (let row = 0; row < count; row += 1) {
      const next = (value(0, row) as number) - 1;
      if (next !== series) {
        if (walk) end(symbols[series] as string, walk);
        series = next;
        walk = new MoveWalk(thresholds, states.get(symbols[series] as string));
      }
      walk?.take(value(1, row) as number, value(2, row) as number);
    }
  }
  if (walk) end(symbols[series] as string, walk);
  const unchanged = before
    ? ` UNION ALL ${STATES} read_parquet('${before}') WHERE symbol NOT IN (${inMonth})`
    : '';
  return {
    moves: moves.close(),
    states: `${STATES} (${statesAfter.close()})${unchanged} ORDER BY symbol, threshold`,
    completes: Object.fromEntries([...completed].map(([month, hash]) => [month, hash.digest('hex')])),
  };
}

/** The price path of every series: its place by symbol (from 1 on), epoch ms, and price; by series and time. */
function pointsOf(candles: string): string {
  return `
    SELECT series, start_ms + point.offset_ms AS ms, point.price AS price FROM (
      SELECT series, start_ms, unnest(path) AS point FROM (
        SELECT series, epoch_ms(start)::DOUBLE AS start_ms, path
        FROM read_parquet('${candles}') JOIN (
          SELECT symbol, row_number() OVER (ORDER BY symbol)::DOUBLE AS series
          FROM (SELECT DISTINCT symbol FROM read_parquet('${candles}'))
        ) USING (symbol) ORDER BY series, start
      )
    )`;
}

async function statesOf(database: Database, path: string, symbols: string) {
  const states = new Map<string, Map<number, MoveState>>();
  const rows = await database.rows<{ symbol: string; threshold: number; state: string }>(
    `${STATES} read_parquet('${path}') WHERE symbol IN (${symbols})`,
  );
  for (const { symbol, threshold, state } of rows) {
    const ofSeries = states.get(symbol) ?? new Map<number, MoveState>();
    states.set(symbol, ofSeries.set(threshold, JSON.parse(state) as MoveState));
  }
  return states;
}

function addEnd(
  hashes: Map<string, ReturnType<typeof createHash>>,
  symbol: string,
  move: DetectedMove,
): void {
  const month = move.confirmed_time.slice(0, 7);
  const hash = hashes.get(month) ?? createHash('sha256');
  hashes.set(month, hash.update(`${JSON.stringify([symbol, move])}\n`));
}

const NONE =
  'SELECT NULL::VARCHAR AS symbol, NULL::DOUBLE AS threshold, NULL::DOUBLE AS price, NULL::TIMESTAMPTZ AS time WHERE false';

/**
 * Writes a month's moves. The last one of a series at a threshold ended where the next one, in a later month, starts.
 * @param moves a query for the moves; the ends of the last ones do not matter
 * @param later files of the months that have the next ones
 */
export async function writeMoves(
  database: Database,
  path: string,
  moves: string,
  later: readonly string[],
): Promise<void> {
  const next =
    later.length === 0
      ? NONE
      : `SELECT symbol, threshold, min_by(from_price, confirmed_time) AS price,
           min_by(from_time, confirmed_time) AS time
         FROM read_parquet([${later.map((file) => `'${file}'`).join(', ')}]) GROUP BY symbol, threshold`;
  const replaced = {
    to_price: 'CASE WHEN is_last THEN price ELSE to_price END',
    to_time: 'CASE WHEN is_last THEN time ELSE to_time END',
    size: 'CASE WHEN is_last THEN abs(price - from_price) / from_price ELSE size END',
  };
  const changed = Object.entries(replaced).map(([name, value]) => `${value} AS ${name}`);
  await writeParquet(
    database,
    'moves',
    `WITH moves AS (
       SELECT *, confirmed_time = max(confirmed_time) OVER (PARTITION BY symbol, threshold) AS is_last FROM (${moves})
     ), next AS (${next})
     SELECT moves.* REPLACE (${changed.join(', ')}) FROM moves LEFT JOIN next
       ON next.symbol = moves.symbol AND next.threshold = moves.threshold`,
    path,
  );
}

/** Writes what the detectors remember. */
export async function writeStates(database: Database, path: string, states: string): Promise<void> {
  await database.run(`COPY (${states}) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`);
}
