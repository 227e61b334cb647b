import { CCXT_RUN } from '../../core/completeness/recorded.ts';
import type { Category } from '../../core/market/series.ts';
import { hourOf } from '../../core/market/time.ts';
import type { BackfillOutput } from '../../core/operate/backfill/backfill.ts';
import type { PagesOutput } from '../../core/operate/backfill/page-through.ts';
import { backfillPart } from '../../local/history-files/backfill-rows.ts';
import { mergeSlices, type RestartFlags, runOperation } from '../operation.ts';
import type { TargetFlags } from '../targets/choose.ts';
import type { Target } from '../targets/target.ts';
import { invokeOperate } from './invoke.ts';
import { newRunName } from './run-name.ts';

export interface FetchFlags extends TargetFlags, RestartFlags {
  exchange: string;
  category: Category;
  symbols: string[];
  from: string;
  to?: string;
  sourceUrl?: string;
}

/** The id in ccxt of an exchange that is to be fetched through it. */
export function ccxtIdOf(exchange: string): string | undefined {
  return /^ccxt:([a-z0-9]{2,40})$/.exec(exchange)?.[1];
}

export async function fetchCandles(
  target: Target,
  { exchange, category, symbols, from, to, sourceUrl, folder, restart }: FetchFlags,
  signal: AbortSignal,
): Promise<BackfillOutput> {
  // The exchange is in real time, whatever the replay's clock says.
  const closed = new Date(hourOf(Date.now())).toISOString();
  const wanted = {
    category,
    symbols,
    from,
    to: to === undefined || to > closed ? closed : to,
    baseUrl: sourceUrl,
  };
  const ccxtId = ccxtIdOf(exchange);
  const input = { exchange: ccxtId ?? exchange, ...wanted };
  const run = newRunName();
  // The range is part of what was asked for: the cursor counts pages of exactly this range.
  const options = { folder, signal, resume: { command: input, restart } };
  if (ccxtId !== undefined) {
    return fetchThroughCcxt(target, { ...input, run: `${run}${CCXT_RUN}` }, options);
  }
  return mergeSlices(
    await runOperation<BackfillOutput>(target, 'backfill', { kind: 'fetch', ...input, run }, options),
  );
}

/** One function fetches candles into the lake, slice by slice; after each slice `backfill` makes candles of it. */
async function fetchThroughCcxt(
  target: Target,
  input: object,
  options: Parameters<typeof runOperation>[3],
): Promise<BackfillOutput> {
  const { signal } = options;
  const written: BackfillOutput[] = [];
  await runOperation<PagesOutput>(target, 'backfill', input, {
    ...options,
    functionName: 'candles-ccxt',
    async onOutput({ objects, hours, notes, run }, isLast) {
      const part = { kind: 'lake' as const, objects, makeMoves: isLast };
      const done = await backfillPart(part, { invoke: invokeOperate(target), signal });
      written.push({ ...done, hours, run, ...(notes.length > 0 ? { notes } : {}) });
    },
  });
  return mergeSlices(written);
}
