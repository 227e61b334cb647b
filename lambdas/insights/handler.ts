import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { ReportStore } from '../../charts/report-store.ts';
import { NoAnswerError, type NoAnswerReason } from '../../core/insights/errors.ts';
import { type Answers, answer, type QuestionInput, questionSchema } from '../../core/insights/question.ts';
import { InvalidInputError } from '../../core/market/invalid-input.ts';
import { samplingIntervalsVariable } from '../../core/market/sampling.ts';
import type { Slice } from '../../core/operate/operation.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { readEnvironment } from '../../core/runtime/environment.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { createOpenSearchOf } from '../../stores/opensearch/client.ts';
import { openSearchVariables } from '../../stores/opensearch/environment.ts';
import { OpenSearchSeries } from '../../stores/opensearch/insights/series.ts';
import { openSearchInsights } from '../../stores/opensearch/insights/stores.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';
import { type ReportEvent, type ReportOutput, reportEvent, reportSlice } from './report.ts';

const environment = readEnvironment(
  z.object({ ...openSearchVariables, SAMPLING_INTERVALS: samplingIntervalsVariable }),
  process.env,
);
const log = createLogger('insights');
const client = createOpenSearchOf(environment);

/** A question. */
export type InsightsEvent = QuestionInput & {
  /** Where windows end by default, ISO 8601. @default the real time */
  now?: string;
};

/** Having no answer is not a failure of the function. */
export type InsightsResponse =
  | { kind: 'answer'; now: string; answer: Answers[keyof Answers] }
  /** `choices`: series or symbols to ask for instead. */
  | { kind: 'noAnswer'; now: string; reason: NoAnswerReason; message: string; choices: readonly string[] }
  | { kind: 'badQuestion'; message: string };

const nowSchema = z.iso
  .datetime({ offset: true, error: 'expected an ISO 8601 time' })
  .transform((text) => Date.parse(text))
  .optional();

/** Answers one question, or a slice of all questions of a report. */
export async function handler(event: ReportEvent, context: Context): Promise<Slice<ReportOutput>>;
export async function handler(event: InsightsEvent, context: Context): Promise<InsightsResponse>;
export async function handler(
  event: InsightsEvent | ReportEvent,
  context: Context,
): Promise<InsightsResponse | Slice<ReportOutput>> {
  log.addContext(context);
  const nowMs = Date.now();
  const endMs = deadlineOf(context.getRemainingTimeInMillis(), nowMs);
  if ('operation' in event) {
    const asked = reportEvent.safeParse(event);
    if (!asked.success) throw new InvalidInputError(`report: ${z.prettifyError(asked.error)}`);
    const deadlineMs = Math.min(endMs, nowMs + (asked.data.sliceMs ?? Number.POSITIVE_INFINITY));
    return reportSlice(asked.data, reportStore(deadlineMs), () => Date.now() < deadlineMs);
  }
  return answerQuestion(event, nowMs, endMs);
}

async function answerQuestion(
  { now: given, ...asked }: InsightsEvent,
  startedMs: number,
  deadlineMs: number,
): Promise<InsightsResponse> {
  const parsedNow = nowSchema.safeParse(given);
  const question = questionSchema.safeParse(asked);
  if (!parsedNow.success) return { kind: 'badQuestion', message: `now: ${z.prettifyError(parsedNow.error)}` };
  if (!question.success) return { kind: 'badQuestion', message: z.prettifyError(question.error) };
  const nowMs = parsedNow.data ?? startedMs;
  const now = new Date(nowMs).toISOString();
  const store = openSearchInsights(new OpenSearchSearch(client, deadlineMs));
  try {
    const found = await answer(question.data, nowMs, store, environment.SAMPLING_INTERVALS);
    log.info('Answered', { question: question.data, tookMs: Date.now() - startedMs });
    return { kind: 'answer', now, answer: found };
  } catch (error) {
    if (error instanceof InvalidInputError) return { kind: 'badQuestion', message: error.message };
    if (!(error instanceof NoAnswerError)) throw error;
    log.info('There is no answer', { question: question.data, reason: error.reason });
    const { reason, message, choices } = error;
    return { kind: 'noAnswer', now, reason, message, choices };
  }
}

function reportStore(deadlineMs: number): ReportStore {
  const search = new OpenSearchSearch(client, deadlineMs);
  return {
    search: (index, body) => search.search(index, body),
    insights: new OpenSearchSeries(search),
    samplingIntervals: environment.SAMPLING_INTERVALS,
  };
}
