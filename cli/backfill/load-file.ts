import type { Category } from '../../core/market/series.ts';
import type { BackfillOutput } from '../../core/operate/backfill/backfill.ts';
import { stepName } from '../../core/operate/backfill/history-step.ts';
import { formatCount } from '../../core/text/format.ts';
import { withHistoryApart } from '../../local/history-files/apart.ts';
import { backfillRows } from '../../local/history-files/backfill-rows.ts';
import type { FormatName } from '../../local/history-files/formats.ts';
import type { HistorySummary } from '../../local/history-files/history.ts';
import type { StepChoice } from '../../local/history-files/options.ts';
import { progressBar } from '../operation.ts';
import { note } from '../print.ts';
import { type TargetFlags, withTarget } from '../targets/choose.ts';
import { invokeOperate } from './invoke.ts';
import { newRunName } from './run-name.ts';

export interface FileFlags extends TargetFlags {
  file: string[];
  format?: FormatName;
  symbol?: string;
  quote?: string;
  step?: StepChoice;
  exchange: string;
  category: Category;
}

/** What --json prints of a file besides the sums. */
export interface LoadedFiles extends BackfillOutput {
  files: { file: string; format: FormatName; rows: number; withoutPrice: number; symbols: string[] }[];
}

/** Reads and checks whole files before any candle is written. */
export function loadFiles(flags: FileFlags, signal: AbortSignal): Promise<LoadedFiles> {
  const { file: files, format, symbol, quote, step, exchange, category } = flags;
  const reading = progressBar('read');
  const onProgress = (fraction: number) => {
    signal.throwIfAborted();
    reading.show({ done: Math.round(fraction * 100), total: 100, unit: '%' });
  };
  // History ends at the real time, whatever the replay's clock says.
  const options = { files, format, symbol, quote, step, nowMs: Date.now(), onProgress };
  return withHistoryApart(options, async (history) => {
    reading.stop();
    note(...summaryOf(history));
    const run = newRunName();
    const written = await withTarget(flags, ['openSearch', 's3'], signal, async (target) => {
      const bar = progressBar('backfill');
      const onCandles = (done: number) => bar.show({ done, total: history.total, unit: 'candles' });
      let isDone = false;
      try {
        const market = { exchange, category, run, parts: history.parts() };
        const sum = await backfillRows(market, {
          invoke: invokeOperate(target),
          onProgress: onCandles,
          signal,
        });
        isDone = true;
        return sum;
      } finally {
        bar.stop();
        if (!isDone) note(`! Only a part was written. Load it again, or take it back with --undo ${run}.`);
      }
    });
    return { ...written, run, files: history.files.map(fileOf), ...notesOf(history) };
  }).finally(() => reading.stop());
}

const FILES_SHOWN = 10;
const SYMBOLS_SHOWN = 10;

/** What was found, for the user to see before it is written. */
function summaryOf({ files, symbols }: HistorySummary): string[] {
  const lines = files.map(
    ({ file, title, rows, symbols: names }) =>
      `  ${file}: ${title}, ${formatCount(rows)} rows of ${listOf(names)}`,
  );
  const steps = Map.groupBy(symbols, ({ stepMs }) => stepMs);
  const hidden = lines.length - FILES_SHOWN;
  return [
    ...lines.slice(0, FILES_SHOWN),
    ...(hidden > 0 ? [`  … and ${formatCount(hidden)} more files`] : []),
    ...[...steps].map(([ms, of]) => `  ${stepName(ms)}: ${listOf(of.map(({ symbol }) => symbol))}`),
  ];
}

function listOf(names: readonly string[]): string {
  const hidden = names.length - SYMBOLS_SHOWN;
  return `${names.slice(0, SYMBOLS_SHOWN).join(', ')}${hidden > 0 ? ` and ${formatCount(hidden)} more` : ''}`;
}

function fileOf({ file, format, rows, withoutPrice, symbols }: HistorySummary['files'][number]) {
  return { file, format, rows, withoutPrice, symbols };
}

function notesOf({ notes }: HistorySummary): Pick<BackfillOutput, 'notes'> {
  return notes.length > 0 ? { notes } : {};
}
