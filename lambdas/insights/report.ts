import * as z from 'zod';
import { PAGE_PICTURES } from '../../charts/pictures/all.ts';
import { isArchived, type PictureAnswer, type PictureQuestion, questionKey } from '../../charts/questions.ts';
import { answerPicture, type SeriesSummary, seriesSummary } from '../../charts/report-data.ts';
import type { ReportStore, SeriesChoice } from '../../charts/report-store.ts';
import { pickable, rememberedChoices, seriesChoices } from '../../charts/series-choices.ts';
import { PAGE_WINDOWS } from '../../charts/windows.ts';
import { remembered } from '../../core/insights/remembered.ts';
import { parseSeries } from '../../core/market/series.ts';
import type { Slice } from '../../core/operate/operation.ts';

/** Asks for one slice of a report. */
export const reportEvent = z.strictObject({
  operation: z.literal('report'),
  input: z.strictObject({
    /** Where the windows end, ISO 8601. */
    asOf: z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' }),
    /** How many currencies to offer, by turnover. */
    currencies: z.number().int().min(1).max(100),
    /** Symbols or whole series, instead of those. */
    symbols: z.array(z.string().min(1)).max(100).optional(),
  }),
  sliceMs: z.number().positive().optional(),
  /** From the previous slice. */
  cursor: z.object({ series: z.array(z.string()), done: z.number().int().nonnegative() }).optional(),
});

export type ReportEvent = z.infer<typeof reportEvent>;

/** Parts of a report. */
export interface ReportOutput {
  choices?: SeriesChoice[];
  summaries: [series: string, SeriesSummary][];
  /** By `questionKey`. */
  answers: [key: string, PictureAnswer][];
}

/** A Lambda can return 6 MB; one more answer may be added to this. */
const MOST_BYTES = 3_000_000;

/** Answers everything that a report page without a server can be asked, slice by slice. */
export async function reportSlice(
  { input, cursor }: Pick<ReportEvent, 'input' | 'cursor'>,
  given: ReportStore,
  hasTime: () => boolean,
): Promise<Slice<ReportOutput>> {
  const store: ReportStore = {
    ...given,
    insights: remembered(given.insights),
    choices: rememberedChoices((atMs) => seriesChoices(given, atMs)),
  };
  const asOfMs = Date.parse(input.asOf);
  const output: ReportOutput = { summaries: [], answers: [] };
  let { series, done } = cursor ?? { series: [], done: 0 };
  if (cursor === undefined) {
    output.choices = picked(await pickable(store, asOfMs), input);
    series = output.choices.map((choice) => choice.series);
  }
  const questions = questionsOf(series);
  let bytes = 0;
  // At least one, so that every slice makes progress.
  do {
    const question = questions[done];
    if (question === undefined) break;
    if (question.kind === 'summary') {
      output.summaries.push([question.series, await seriesSummary(store, question.series, asOfMs)]);
    } else {
      const answer = await answerPicture(store, question.ask, asOfMs);
      bytes += JSON.stringify(answer).length;
      output.answers.push([questionKey(question.ask), answer]);
    }
    done += 1;
  } while (hasTime() && bytes < MOST_BYTES);
  return {
    output,
    progress: { done, total: questions.length, unit: 'answers' },
    ...(done < questions.length ? { cursor: { series, done } } : {}),
  };
}

function picked(all: readonly SeriesChoice[], { currencies, symbols }: ReportEvent['input']): SeriesChoice[] {
  if (symbols === undefined) return all.filter(({ series }) => !isArchived(series)).slice(0, currencies);
  const wanted = new Set(symbols.map((symbol) => symbol.toLowerCase()));
  return all.filter(({ series }) => {
    const symbol = parseSeries(series).symbol.toLowerCase();
    return wanted.has(series.toLowerCase()) || (wanted.has(symbol) && !isArchived(series));
  });
}

type ReportQuestion = { kind: 'summary'; series: string } | { kind: 'picture'; ask: PictureQuestion };

/** Each question once, in a fixed order. */
function questionsOf(series: readonly string[]): ReportQuestion[] {
  const pictures = new Map<string, PictureQuestion>();
  for (const one of series) {
    for (const { id: picture } of PAGE_PICTURES) {
      for (const window of [undefined, ...PAGE_WINDOWS]) {
        const ask = { picture, series: one, window };
        pictures.set(questionKey(ask), ask);
      }
    }
  }
  return [
    ...series.map((one) => ({ kind: 'summary', series: one }) as const),
    ...[...pictures.values()].map((ask) => ({ kind: 'picture', ask }) as const),
  ];
}
