import type { PollReport } from '../core/ingest/report.ts';
import type { QuestionInput } from '../core/insights/question.ts';
import { formatCount, formatPercent } from '../core/text/format.ts';
import { textTable } from '../core/text/text-table.ts';
import type { InsightsResponse } from '../lambdas/insights/handler.ts';
import type { ArticleAnswer } from '../local/pipeline/article-queries.ts';
import {
  askArticleQueries,
  countStores,
  type ExchangeCounts,
  percentile,
} from '../local/pipeline/closing-report.ts';
import type { Pipeline } from '../local/pipeline/pipeline.ts';
import type { Progress } from '../local/pipeline/run.ts';
import type { Display } from './display.ts';
import { ANSWER_VIEWS } from './insights-answers.ts';
import { readBatch } from './poll-view.ts';

/**
 * The closing report. `polls`, `tickersFetched`, `duplicatesRefused`, `deadLetters`, `failedPolls` and
 * `latencyMs` are of this run; what the lake, the topic and the index hold is counted there, earlier runs
 * included.
 */
export interface ClosingReport {
  polls: number;
  failedPolls: number;
  tickersFetched: number;
  lakeObjects: number;
  lakeRecords: number;
  recordsProduced: number;
  documentsIndexed: number;
  rejected: number;
  duplicatesRefused: number;
  deadLetters: number;
  /** By exchange, as far as the stores tell it. */
  exchanges: Record<string, ExchangeCounts>;
  /** By source: its polls of this run. */
  sources: Record<string, { polls: number; failedPolls: number }>;
  /** Whether the index holds exactly as many documents as the lake holds ids. */
  agree: boolean;
  /** Poll begun → its last ticker acknowledged by OpenSearch. */
  latencyMs: { p50: number; p95: number };
  /** By step; `total`: until all was up. */
  startupSeconds: Record<string, number>;
  articleQueries: ArticleAnswer[];
  /** What the pipeline is for, asked of each source's currency with the most turnover, as of the pipeline's now. */
  insights: AskedInsight[];
}

/** A question, and what the insights function answered. */
export interface AskedInsight {
  question: QuestionInput;
  response: InsightsResponse;
}

/** Counts in the stores and asks the article's questions. */
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
    agree:
      lakeIds === counts.documentsIndexed &&
      Object.values(counts.exchanges).every((each) => each.lakeIds === each.documentsIndexed),
    latencyMs: { p50: percentile(latenciesMs, 50), p95: percentile(latenciesMs, 95) },
    startupSeconds: Object.fromEntries(
      Object.entries(startupSeconds).map(([step, seconds]) => [step, Math.round(seconds * 1_000) / 1_000]),
    ),
    articleQueries: await askArticleQueries(pipeline.openSearch),
    insights: await askEachSource(pipeline, progress),
  };
}

async function askEachSource(pipeline: Pipeline, { sources }: Progress): Promise<AskedInsight[]> {
  const asked: AskedInsight[] = [];
  for (const { last } of sources.values()) if (last) asked.push(...(await askInsights(pipeline, last)));
  return asked;
}

/** A few of the questions that the pipeline answers; those that need a year are asked of the bundled daily history. */
async function askInsights(pipeline: Pipeline, last: PollReport): Promise<AskedInsight[]> {
  const symbol = (await readBatch(pipeline, last))[0]?.symbol;
  if (symbol === undefined) return [];
  const { exchange, slot: now } = last;
  const questions: QuestionInput[] = [
    { question: 'average', symbol, exchange, over: '90d' },
    { question: 'moves', symbol, exchange, over: '90d' },
    { question: 'volatile', exchange, over: '7d' },
    ...(pipeline.replay
      ? [
          {
            question: 'average' as const,
            symbol,
            exchange: 'archive',
            over: '2y',
            at: '2021-12-31T00:00:00Z',
          },
        ]
      : []),
  ];
  const asked: AskedInsight[] = [];
  for (const question of questions) {
    asked.push({ question, response: await pipeline.ask({ ...question, now }) });
  }
  return asked;
}

/** The report as a person reads it. */
export function printReport(report: ClosingReport, display: Display): void {
  const table = textTable(['', '']);
  const { p50, p95 } = report.latencyMs;
  table.push(
    ['polls indexed', formatCount(report.polls)],
    ['polls failed', formatCount(report.failedPolls)],
    ['tickers fetched', formatCount(report.tickersFetched)],
    ['objects in the lake', formatCount(report.lakeObjects)],
    ['records in the lake', formatCount(report.lakeRecords)],
    ['records on the topic', formatCount(report.recordsProduced)],
    ['documents in the index', formatCount(report.documentsIndexed)],
    ['rejected', formatCount(report.rejected)],
    ['duplicates refused', formatCount(report.duplicatesRefused)],
    ['dead letters', formatCount(report.deadLetters)],
    ['poll → indexed, p50 / p95', `${p50.toFixed(0)} / ${p95.toFixed(0)} ms`],
  );
  display.print(`\n${table}`);
  if (Object.keys(report.exchanges).length > 1) display.print(`\n${exchangeTable(report)}`);
  display.print(
    report.agree
      ? '✔ Lake and index agree.'
      : '✖ Lake and index disagree: the index does not hold exactly the ids of the lake.',
  );
  for (const answer of report.articleQueries) display.print(`\n${answer.title}\n${answerTable(answer)}`);
  for (const { question, response } of report.insights) {
    display.print(`\n$ npm run insights -- ${commandOf(question)}\n${responseText(question, response)}`);
  }
}

function exchangeTable({ exchanges }: ClosingReport): string {
  const table = textTable(['exchange', 'records in the lake', 'documents in the index', 'rejected']);
  for (const [exchange, { lakeRecords, documentsIndexed, rejected }] of Object.entries(exchanges)) {
    table.push([exchange, formatCount(lakeRecords), formatCount(documentsIndexed), formatCount(rejected)]);
  }
  return table.toString();
}

function answerTable({ aggregations, hits }: ArticleAnswer): string {
  const rows = aggregations.by_symbol
    ? aggregations.by_symbol.buckets.map(({ key, doc_count, volatility }) => ({
        name: key,
        documents: doc_count,
        values: volatility.values,
      }))
    : [{ name: '', documents: hits, values: aggregations.p?.values ?? {} }];
  const percents = Object.keys(rows[0]?.values ?? {});
  const head = ['', 'documents', ...percents.map((percent) => `${Number(percent)} %`)];
  const table = textTable(head);
  for (const { name, documents, values } of rows) {
    const cells = percents.map((percent) => {
      const value = values[percent];
      return value === null || value === undefined ? '–' : formatPercent(value);
    });
    table.push([name, formatCount(documents), ...cells]);
  }
  return table.toString();
}

/** The command that asks the same. */
function commandOf({ question, ...options }: QuestionInput): string {
  const { symbol, ...flags } = options as Record<string, unknown>;
  const words = Object.entries(flags).map(([name, value]) => `--${name} ${value}`);
  return [question, symbol, ...words].filter((word) => word !== undefined).join(' ');
}

function responseText({ question }: QuestionInput, response: InsightsResponse): string {
  if (response.kind !== 'answer') return response.message;
  const view = ANSWER_VIEWS[question] as { table(answer: unknown): string };
  return view.table(response.answer);
}
