import type { QuestionInput } from '../../core/insights/question.ts';
import { formatCount } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import type { InsightsResponse } from '../../lambdas/insights/handler.ts';
import { type ArticleAnswer, askArticleQueries } from '../../local/pipeline/article-queries.ts';
import { countStores, percentile, type StoreCounts } from '../../local/pipeline/closing-report.ts';
import type { Pipeline } from '../../local/pipeline/pipeline.ts';
import type { Progress } from '../../local/pipeline/progress.ts';
import { answerTable } from '../insights/answer-views.ts';
import { readBatch } from './poll-view.ts';

/** What --json prints. The stores are counted as they are now, including earlier runs; the rest is about this run. */
export interface ClosingReport
  extends Omit<StoreCounts, 'lakeIds'>,
    Pick<Progress, 'polls' | 'failedPolls' | 'tickersFetched' | 'duplicatesRefused' | 'deadLetters'> {
  sources: Record<string, { polls: number; failedPolls: number }>;
  /** Whether the index contains exactly as many documents as the lake contains ids. */
  agree: boolean;
  /** From the start of a poll until OpenSearch has acknowledged its last ticker. */
  latencyMs: { p50: number; p95: number };
  /** By step, and `total`. */
  startupSeconds: Record<string, number>;
  articleQueries: ArticleAnswer[];
  insights: AskedInsight[];
}

interface AskedInsight {
  question: QuestionInput;
  response: InsightsResponse;
}

export async function closingReport(
  pipeline: Pipeline,
  progress: Progress,
  startupSeconds: Record<string, number>,
): Promise<ClosingReport> {
  const { lakeIds, ...counts } = await countStores(pipeline);
  const { polls, failedPolls, tickersFetched, duplicatesRefused, deadLetters, latenciesMs } = progress;
  return {
    polls,
    failedPolls,
    tickersFetched,
    ...counts,
    duplicatesRefused,
    deadLetters,
    sources: Object.fromEntries(
      [...progress.sources].map(([name, { polls, failedPolls }]) => [name, { polls, failedPolls }]),
    ),
    agree: [{ lakeIds, documentsIndexed: counts.documentsIndexed }, ...Object.values(counts.exchanges)].every(
      (each) => each.lakeIds === each.documentsIndexed,
    ),
    latencyMs: { p50: percentile(latenciesMs, 50), p95: percentile(latenciesMs, 95) },
    startupSeconds: Object.fromEntries(
      Object.entries(startupSeconds).map(([step, seconds]) => [step, Math.round(seconds * 1_000) / 1_000]),
    ),
    articleQueries: await askArticleQueries(pipeline.openSearch),
    insights: await askInsights(pipeline, progress),
  };
}

/** A few questions about the currency with the most turnover of each source, as of the pipeline's now. */
async function askInsights(pipeline: Pipeline, { sources }: Progress): Promise<AskedInsight[]> {
  const asked: AskedInsight[] = [];
  for (const { last } of sources.values()) {
    if (!last) continue;
    const symbol = (await readBatch(pipeline, last))[0]?.symbol;
    if (symbol === undefined) continue;
    const { exchange, slot: now } = last;
    const questions: QuestionInput[] = [
      { question: 'average', symbol, exchange, over: '90d' },
      { question: 'moves', symbol, exchange, over: '90d' },
      { question: 'volatile', exchange, over: '7d' },
    ];
    if (pipeline.replay) {
      // Years take the bundled daily history.
      const archive = { symbol, exchange: 'archive', over: '2y', at: '2021-12-31T00:00:00Z' };
      questions.push({ question: 'average', ...archive });
    }
    for (const question of questions) {
      asked.push({ question, response: await pipeline.ask({ ...question, now }) });
    }
  }
  return asked;
}

/** For people. */
export function reportText(report: ClosingReport): string {
  const { p50, p95 } = report.latencyMs;
  const counts: [string, number][] = [
    ['polls indexed', report.polls],
    ['polls failed', report.failedPolls],
    ['tickers fetched', report.tickersFetched],
    ['objects in the lake', report.lakeObjects],
    ['records in the lake', report.lakeRecords],
    ['records on the topic', report.recordsProduced],
    ['documents in the index', report.documentsIndexed],
    ['rejected', report.rejected],
    ['duplicates refused', report.duplicatesRefused],
    ['dead letters', report.deadLetters],
  ];
  const latency = ['poll → indexed, p50 / p95', `${p50.toFixed(0)} / ${p95.toFixed(0)} ms`];
  return [
    textTable(['', ''], [...counts.map(([title, count]) => [title, formatCount(count)]), latency]),
    ...(Object.keys(report.exchanges).length > 1 ? [exchangeTable(report)] : []),
    report.agree
      ? '✔ Lake and index agree.'
      : '✖ Lake and index disagree: the number of ids differs. "npm run verify" shows where.',
    ...report.insights.map(
      ({ question, response }) =>
        `$ npm run insights -- ${commandOf(question)}\n${textOf(question, response)}`,
    ),
  ].join('\n\n');
}

function exchangeTable({ exchanges }: ClosingReport): string {
  return textTable(
    ['exchange', 'records in the lake', 'documents in the index', 'rejected'],
    Object.entries(exchanges).map(([exchange, { lakeRecords, documentsIndexed, rejected }]) => [
      exchange,
      ...[lakeRecords, documentsIndexed, rejected].map(formatCount),
    ]),
  );
}

/** The command that asks the same question. */
function commandOf({ question, ...options }: QuestionInput): string {
  const { symbol, ...flags } = options as Record<string, unknown>;
  const words = Object.entries(flags).map(([name, value]) => `--${name} ${value}`);
  return [question, symbol, ...words].filter((word) => word !== undefined).join(' ');
}

function textOf({ question }: QuestionInput, response: InsightsResponse): string {
  return response.kind === 'answer' ? answerTable(question, response.answer) : response.message;
}
