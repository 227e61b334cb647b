import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { NoAnswerError, type NoAnswerReason } from '../../core/insights/errors.ts';
import { type Answers, answer, type QuestionInput, questionSchema } from '../../core/insights/question.ts';
import { InvalidInputError } from '../../core/market/invalid-input.ts';
import { samplingIntervalsVariable } from '../../core/market/sampling.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { readEnvironment } from '../../core/runtime/environment.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { createOpenSearchOf } from '../../stores/opensearch/client.ts';
import { openSearchVariables } from '../../stores/opensearch/environment.ts';
import { openSearchInsights } from '../../stores/opensearch/insights/stores.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';

const environment = readEnvironment(
  z.object({ ...openSearchVariables, SAMPLING_INTERVALS: samplingIntervalsVariable }),
  process.env,
);
const log = createLogger('insights');
const client = createOpenSearchOf(environment);

/** What the function is asked. */
export type InsightsEvent = QuestionInput & {
  /** The asker's `now`, ISO 8601: where a window ends that does not say. @default the clock on the wall */
  now?: string;
};

/** What it says; that there is no answer is no failure of the function. */
export type InsightsResponse =
  | { kind: 'answer'; now: string; answer: Answers[keyof Answers] }
  /** `choices`: series or symbols that could be asked for instead. */
  | { kind: 'noAnswer'; now: string; reason: NoAnswerReason; message: string; choices: readonly string[] }
  | { kind: 'badQuestion'; message: string };

const nowSchema = z.iso
  .datetime({ offset: true, error: 'expected an ISO 8601 time' })
  .transform((text) => Date.parse(text))
  .optional();

/** Answers one question. */
export async function handler(event: InsightsEvent, context: Context): Promise<InsightsResponse> {
  log.addContext(context);
  const { now: given, ...asked } = event;
  const parsedNow = nowSchema.safeParse(given);
  const question = questionSchema.safeParse(asked);
  if (!parsedNow.success) return { kind: 'badQuestion', message: `now: ${z.prettifyError(parsedNow.error)}` };
  if (!question.success) return { kind: 'badQuestion', message: z.prettifyError(question.error) };
  const startedMs = Date.now();
  const nowMs = parsedNow.data ?? startedMs;
  const now = new Date(nowMs).toISOString();
  const search = new OpenSearchSearch(client, deadlineOf(context.getRemainingTimeInMillis(), startedMs));
  try {
    const found = await answer(
      question.data,
      nowMs,
      openSearchInsights(search),
      environment.SAMPLING_INTERVALS,
    );
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
