import type { PollReport } from '../../core/ingest/report.ts';
import { formatSeries } from '../../core/market/series.ts';
import type { Ticker } from '../../core/market/ticker.ts';
import { tradeOfTick, usdTurnovers } from '../../core/market/turnover.ts';
import { formatCount, formatPercent, formatPrice, formatTime } from '../../core/text/format.ts';
import type { Pipeline } from '../../local/pipeline/pipeline.ts';
import type { Progress } from '../../local/pipeline/progress.ts';
import type { RunOptions } from '../../local/pipeline/run.ts';
import type { Display } from './display.ts';

export interface PollView {
  onChange: RunOptions['onChange'];
  /** Resolves when every poll so far is shown. */
  settled(): Promise<void>;
}

/** Currencies shown, by turnover. */
const PRICES_SHOWN = 4;

/** Shows each poll: what happened to its tickers, how far the index lags behind, and the latest prices. */
export function pollView(run: {
  pipeline: Pipeline;
  progress: Progress;
  display: Display;
  polls: number | undefined;
}): PollView {
  const { pipeline, progress, display } = run;
  const ofPolls = run.polls === undefined ? '' : ` of ${formatCount(run.polls)}`;
  let shown = Promise.resolve();

  async function showPoll(report: PollReport, polls: number, indexed: number) {
    const tickers = await readBatch(pipeline, report);
    const exchange = pipeline.sources.length > 1 ? `  ${report.exchange}` : '';
    const head = `poll ${formatCount(polls)}${ofPolls}${exchange}  slot ${formatTime(report.slot)}`;
    const failed = report.categories.filter(({ status }) => status === 'failed');
    const counts = [
      `fetched ${formatCount(sum(report, 'fetched'))}`,
      `lake ${formatCount(tickers.length)}`,
      `produced ${formatCount(report.produced)}`,
      `indexed ${formatCount(indexed)} in all`,
      `rejected ${formatCount(sum(report, 'rejected'))}`,
      `lag ${formatCount(pipeline.eventSource.lagRecords())}`,
      ...(failed.length > 0 ? [`failed: ${failed.map(({ category }) => category).join(', ')}`] : []),
    ].join('  ');
    const prices = tickers.slice(0, PRICES_SHOWN).map(priceText);
    display.update(
      `${head}${pipeline.replay ? ' (replayed)' : ''}\n${counts}\n${prices.join('\n')}`,
      `${head}  ${counts}  ${prices.slice(0, 2).join('  ')}`,
    );
  }

  return {
    onChange(change) {
      const { polls, indexed, failure } = progress;
      // Polls are shown in order; showing one never delays the next.
      shown = shown.then(async () => {
        if (change.kind === 'polled') {
          // If the lake is down for a moment, only this line is missing.
          return showPoll(change.report, polls, indexed).catch(() => {});
        }
        const text = `✖ The poll of ${change.source} for slot ${formatTime(change.slot)} failed and will be retried: ${failure}`;
        display.update(text, text);
      });
    },
    settled: () => shown,
  };
}

function sum({ categories }: PollReport, field: 'fetched' | 'rejected'): number {
  return categories.reduce((total, report) => total + report[field], 0);
}

/** The poll's tickers from the lake, the largest turnover in dollars first. */
export async function readBatch(
  { lake }: Pipeline,
  { exchange, slot, categories }: PollReport,
): Promise<Ticker[]> {
  const lines = await Promise.all(
    categories.map(({ category }) => lake.readTickers({ exchange, category, slotMs: Date.parse(slot) })),
  );
  const tickers = lines.flatMap((batch) => batch ?? []).map((line) => JSON.parse(line) as Ticker);
  const turnovers = usdTurnovers([tickers.map(tradeOfTick)]);
  const turnoverOf = (ticker: Ticker) => turnovers.get(formatSeries(ticker)) ?? -1;
  return tickers.toSorted((a, b) => turnoverOf(b) - turnoverOf(a));
}

function priceText({ symbol, last_price, price_24h_pcnt }: Ticker): string {
  const change = price_24h_pcnt === undefined ? '' : ` (24 h ${formatPercent(price_24h_pcnt)})`;
  return `${symbol} ${formatPrice(last_price)}${change}`;
}
