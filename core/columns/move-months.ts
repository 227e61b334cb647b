import { isDeepStrictEqual } from 'node:util';
import { formatMarket } from '../market/series.ts';
import { marketsOf } from '../operate/lake-walk.ts';
import type { Manifest, ManifestSource } from './manifest.ts';
import {
  type ColumnFile,
  columnKey,
  columnsPrefix,
  MANIFESTS_PREFIX,
  manifestKey,
  manifestsPrefix,
  parseManifestKey,
  STATES_PREFIX,
} from './objects.ts';
import type { ColumnMaker, ColumnStore, Take, WrittenFile } from './ports.ts';

/** What a month of moves is made from. Files are named by their keys. */
export interface MoveMonthPlan {
  moves:
    | PathToWalk
    | { /** The month's file as it is, apart from the ends of the last moves. */ known: string };
  /** The files of later months that have the ends of the last moves. */
  later: string[];
}

export interface PathToWalk {
  candles: string;
  /** What the detectors remember of the months before. @default there is none */
  states?: string;
  /** Fractions, ascending. */
  thresholds: readonly number[];
}

export interface MoveMonthServices {
  store: Pick<ColumnStore, 'folders' | 'list' | 'readManifest'>;
  /** Fractions, ascending. */
  thresholds: readonly number[];
  /** Runs a plan. A path that is walked gives states and `completes`. */
  write: (plan: MoveMonthPlan, take: Take<WrittenFile>) => Promise<void>;
}

const CANDLE_MANIFESTS = `${MANIFESTS_PREFIX}candles/`;

/**
 * Makes a month's file of moves: of those confirmed in it. Its sources are the month's candles, the
 * detectors' states at the end of the month before, and later months that say how moves ended. So a month
 * that changes makes those after it change, one after the other, as long as their states change. A month that
 * ends a move of an earlier one changes that month's file as well, which therefore has to be looked at again
 * after the months that follow it.
 */
export function moveMonths({ store, thresholds, write }: MoveMonthServices): ColumnMaker {
  /** By `formatMarket`, ascending. */
  const monthsOf = new Map<string, string[]>();
  const manifests = new Map<string, Promise<Manifest | undefined>>();
  const manifestOf = (file: ColumnFile) => {
    const key = manifestKey(file);
    const found = manifests.get(key) ?? store.readManifest(file);
    manifests.set(key, found);
    return found;
  };
  return {
    table: 'moves',
    async files(_nowMs, exchange) {
      manifests.clear();
      monthsOf.clear();
      const files: ColumnFile[] = [];
      for (const market of await marketsOf(store, exchange, CANDLE_MANIFESTS)) {
        const months: string[] = [];
        for await (const { key } of store.list(manifestsPrefix({ ...market, table: 'candles' }))) {
          const period = parseManifestKey(key)?.period;
          if (period) months.push(period);
        }
        monthsOf.set(formatMarket(market), months);
        files.push(...months.map((period) => ({ table: 'moves' as const, ...market, period })));
      }
      return files;
    },
    isWorthALook: () => true,
    async sources(file) {
      const candles: ColumnFile = { ...file, table: 'candles' };
      const made = await store.readManifest(candles);
      if (!made) return { sources: [], problems: [] };
      const sources: ManifestSource[] = [
        { key: columnKey(candles), etag: made.sha256, thresholds: [...thresholds] },
      ];
      const months = monthsOf.get(formatMarket(file)) ?? [];
      const period = months.findLast((month) => month < file.period);
      const states = period && (await manifestOf({ ...file, period }))?.states;
      if (states) sources.push({ key: states.object, etag: states.sha256 });
      for (const later of months.filter((month) => month > file.period)) {
        const ends = (await manifestOf({ ...file, period: later }))?.completes?.[file.period];
        if (ends) sources.push({ key: columnKey({ ...file, period: later }), etag: ends });
      }
      return { sources, problems: [] };
    },
    async write(file, sources, take, current) {
      manifests.delete(manifestKey(file));
      const isWalked = isDeepStrictEqual(walkedIn(current?.sources ?? [], file), walkedIn(sources, file));
      const later = sources.filter(({ key }) => isMoves(key, file)).map(({ key }) => key);
      const plan = { moves: isWalked ? { known: columnKey(file) } : pathIn(sources), later };
      await write(plan, async (written) => {
        const { completes = current?.completes } = written.content;
        await take({ ...written, content: { ...written.content, completes } });
      });
    },
  };
}

function isMoves(key: string, file: ColumnFile): boolean {
  return key.startsWith(columnsPrefix(file));
}

/** The sources of all but the ends of the last moves. */
function walkedIn(sources: readonly ManifestSource[], file: ColumnFile): ManifestSource[] {
  return sources.filter(({ key }) => !isMoves(key, file));
}

function pathIn(sources: readonly ManifestSource[]): PathToWalk {
  const candles = sources.find(({ thresholds }) => thresholds);
  const states = sources.find(({ key }) => key.startsWith(STATES_PREFIX));
  if (!candles?.thresholds) throw new Error('a month of moves is made of candles, but its sources have none');
  return {
    candles: candles.key,
    thresholds: candles.thresholds,
    ...(states ? { states: states.key } : {}),
  };
}
