import * as z from 'zod';
import { InvalidInputError } from '../market/invalid-input.ts';
import type { SamplingIntervals } from '../market/sampling.ts';
import { NoAnswerError, type NoAnswerReason } from './errors.ts';
import type { InsightStores } from './ports.ts';
import { type Answers, answer, type Question, type QuestionInput, questionSchema } from './question.ts';
import { within } from './within.ts';

/** A question as it is sent. */
export type InsightsEvent = QuestionInput & {
  /** Where windows end by default, ISO 8601. @default the real time */
  now?: string;
  /** Uses only data between these times (ISO 8601), as if there were no other. @default all */
  within?: { from: string; to: string };
};

/** Having no answer is not a failure. */
export type InsightsResponse =
  | { kind: 'answer'; now: string; answer: Answers[keyof Answers] }
  /** `choices`: series or symbols to ask for instead. */
  | { kind: 'noAnswer'; now: string; reason: NoAnswerReason; message: string; choices: readonly string[] }
  | { kind: 'badQuestion'; message: string };

const instant = z.iso
  .datetime({ offset: true, error: 'expected an ISO 8601 time' })
  .transform((text) => Date.parse(text));

const circumstances = z.object({
  now: instant.optional(),
  within: z.strictObject({ from: instant, to: instant }).optional(),
});

/** Answers a question, or explains why it has no answer. @param startedMs the real time, epoch ms */
export async function respond(
  { now, within: range, ...asked }: InsightsEvent,
  startedMs: number,
  given: InsightStores,
  samplingIntervals: SamplingIntervals,
): Promise<{ response: InsightsResponse; question?: Question }> {
  const where = circumstances.safeParse({ now, within: range });
  const parsed = questionSchema.safeParse(asked);
  if (!where.success) return { response: { kind: 'badQuestion', message: z.prettifyError(where.error) } };
  if (!parsed.success) return { response: { kind: 'badQuestion', message: z.prettifyError(parsed.error) } };
  const question = parsed.data;
  const nowMs = where.data.now ?? startedMs;
  const iso = new Date(nowMs).toISOString();
  const limits = where.data.within;
  const stores = limits ? within(given, { fromMs: limits.from, toMs: limits.to }) : given;
  try {
    const found = await answer(question, nowMs, stores, samplingIntervals);
    return { question, response: { kind: 'answer', now: iso, answer: found } };
  } catch (error) {
    if (error instanceof InvalidInputError) {
      return { question, response: { kind: 'badQuestion', message: error.message } };
    }
    if (!(error instanceof NoAnswerError)) throw error;
    const { reason, message, choices } = error;
    return { question, response: { kind: 'noAnswer', now: iso, reason, message, choices } };
  }
}
