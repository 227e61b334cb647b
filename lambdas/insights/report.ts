import * as z from 'zod';
import { PICTURES } from '../../charts/pictures/all.ts';
import { isArchived, type PictureAnswer, type PictureQuestion, questionKey } from '../../charts/questions.ts';
import {
  answerPicture,
  type ReportStore,
  type SeriesChoice,
  type SeriesSummary,
  seriesChoices,
  seriesSummary,
} from '../../charts/report-data.ts';
import { PAGE_WINDOWS } from '../../charts/windows.ts';
import { parseSeries } from '../../core/market/series.ts';
import type { Operation, OperationServices } from '../../core/operate/operation.ts';
import { OpenSearchSeries } from '../../stores/opensearch/insights/series.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';

const inputSchema = z.strictObject({
  /** Where the windows end, ISO 8601. */
  asOf: z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' }),
  /** How many currencies can be picked: those with the most turnover. */
  currencies: z.number().int().min(1).max(100),
  /** These, instead: symbols or whole series. */
  symbols: z.array(z.string().min(1)).max(100).optional(),
});

/** What a slice found: parts of a report. */
export interface ReportOutput {
  choices?: SeriesChoice[];
  summaries: [series: string, SeriesSummary][];
  /** By `questionKey`. */
  answers: [key: string, PictureAnswer][];
}

interface ReportCursor {
  series: string[];
  /** How many of the series' questions are answered. */
  done: number;
}

/** A Lambda answers 6 MB at most; one more answer may come on top of this. */
const MOST_BYTES = 3_000_000;

/** Asks everything that a report page without a server behind it can be asked. */
export const report: Operation<z.infer<typeof inputSchema>, ReportOutput> = {
  name: 'report',
  input: inputSchema,
  async slice(input, cursor, services, { deadlineMs }) {
    const store = reportStore(services, deadlineMs);
    const asOfMs = Date.parse(input.asOf);
    const output: ReportOutput = { summaries: [], answers: [] };
    let { series, done } = (cursor ?? { series: [], done: 0 }) as ReportCursor;
    if (cursor === undefined) {
      const all = await seriesChoices(store, asOfMs);
      output.choices = picked(all, input);
      series = output.choices.map((choice) => choice.series);
    }
    const questions = questionsOf(series);
    let bytes = 0;
    // At least one, so that every slice gets on.
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
    } while (Date.now() < deadlineMs && bytes < MOST_BYTES);
    return {
      output,
      progress: { done, total: questions.length, unit: 'answers' },
      ...(done < questions.length ? { cursor: { series, done } satisfies ReportCursor } : {}),
    };
  },
};

function reportStore({ openSearch, summaries }: OperationServices, deadlineMs: number): ReportStore {
  const search = new OpenSearchSearch(openSearch, deadlineMs);
  return {
    search: (index, body) => search.search(index, body),
    insights: new OpenSearchSeries(search),
    samplingIntervals: summaries.samplingIntervals,
  };
}

function picked(
  all: readonly SeriesChoice[],
  { currencies, symbols }: Pick<z.infer<typeof inputSchema>, 'currencies' | 'symbols'>,
): SeriesChoice[] {
  if (symbols === undefined) return all.filter(({ series }) => !isArchived(series)).slice(0, currencies);
  const wanted = new Set(symbols.map((symbol) => symbol.toLowerCase()));
  return all.filter(({ series }) => {
    const symbol = parseSeries(series).symbol.toLowerCase();
    return wanted.has(series.toLowerCase()) || (wanted.has(symbol) && !isArchived(series));
  });
}

type ReportQuestion = { kind: 'summary'; series: string } | { kind: 'picture'; ask: PictureQuestion };

/** Each once, in an order that does not change. */
function questionsOf(series: readonly string[]): ReportQuestion[] {
  const pictures = new Map<string, PictureQuestion>();
  for (const one of series) {
    for (const { id: picture } of PICTURES) {
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
