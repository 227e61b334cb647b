import { join } from 'node:path';
import type { CandleMonthPlan } from '../../core/columns/candle-months.ts';
import type { MoveMonthPlan } from '../../core/columns/move-months.ts';
import type { ColumnStore, Take, WrittenFile } from '../../core/columns/ports.ts';
import type { ColumnTable } from '../../core/columns/tables.ts';
import { CandleMonth, MONTH_MEMORY } from './candle-month.ts';
import { type Database, withDatabase } from './database.ts';
import { walkMonth, writeMoves, writeStates } from './move-month.ts';
import { describeParquet, sha256Of } from './parquet.ts';

type Fetch = Pick<ColumnStore, 'fetchFile'>;

/** Downloads an object to a folder, under this name; returns its path. */
const fetchInto = (store: Fetch, folder: string) => async (key: string, name: string) => {
  const file = join(folder, name);
  await store.fetchFile(key, file);
  return file;
};

/** Runs a plan for a month of candles. */
export function writeCandleMonth(
  store: Fetch,
  plan: CandleMonthPlan,
  take: Take<WrittenFile>,
): Promise<void> {
  return withFile('candles', take, async (database, folder, path) => {
    const local = fetchInto(store, folder);
    const month = await CandleMonth.create(database, folder);
    if (plan.keep) {
      const kept = await local(plan.keep, 'kept.parquet');
      await month.keep(
        kept,
        plan.days.map(({ startMs }) => startMs),
      );
    }
    await month.record(plan.recorded);
    for (const day of plan.days) {
      const ticks = day.ticks && { ticks: await local(day.ticks, `ticks-${day.startMs}.parquet`) };
      await month.addDay({ ...day, ...ticks });
    }
    const previous = plan.previous && (await local(plan.previous, 'previous.parquet'));
    await month.write(path, plan.month.fromMs, previous);
    return {};
  });
}

/** Runs a plan for a month of moves. */
export function writeMoveMonth(
  store: Fetch,
  { moves, later }: MoveMonthPlan,
  take: Take<WrittenFile>,
): Promise<void> {
  return withFile('moves', take, async (database, folder, path) => {
    const local = fetchInto(store, folder);
    const ends: string[] = [];
    for (const [position, key] of later.entries()) ends.push(await local(key, `later-${position}.parquet`));
    if ('known' in moves) {
      const known = await local(moves.known, 'known.parquet');
      await writeMoves(database, path, `FROM read_parquet('${known}')`, ends);
      return {};
    }
    const candles = await local(moves.candles, 'candles.parquet');
    const before = moves.states && (await local(moves.states, 'before.parquet'));
    const walked = await walkMonth(database, candles, before, moves.thresholds, folder);
    await writeMoves(database, path, walked.moves, ends);
    const states = join(folder, 'states.parquet');
    await writeStates(database, states, walked.states);
    const { completes } = walked;
    return { states: { path: states, sha256: await sha256Of(states) }, completes };
  });
}

/** Hands over what work writes to `path`, with what else it made. */
function withFile(
  table: ColumnTable,
  take: Take<WrittenFile>,
  work: (
    database: Database,
    folder: string,
    path: string,
  ) => Promise<Pick<WrittenFile, 'states'> & Pick<WrittenFile['content'], 'completes'>>,
): Promise<void> {
  return withDatabase(MONTH_MEMORY[0], async (database, folder) => {
    const path = join(folder, 'part-0.parquet');
    const { completes, ...more } = await work(database, folder, path);
    const content = { ...(await describeParquet(database, table, path)), skipped: 0, completes };
    await take({ path, content, problems: [], ...more });
  });
}
