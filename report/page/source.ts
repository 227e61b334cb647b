import { type PictureQuestion, questionKey } from '../../charts/questions.ts';
import { choicesFor } from '../../charts/series-choices.ts';
import {
  type Choices,
  type Failure,
  type PictureAnswer,
  type Pulse,
  SNAPSHOT_ELEMENT,
  type Snapshot,
  type SummaryAnswer,
} from '../protocol.ts';

/** Where the page gets its numbers. */
export interface ReportSource {
  /** @param picked the series that is shown */
  choices(search: string, picked: string | undefined): Promise<Choices>;
  summary(series: string): Promise<SummaryAnswer | undefined>;
  picture(question: PictureQuestion): Promise<PictureAnswer | undefined>;
  /** Absent in a snapshot. */
  pulse?: () => Promise<Pulse>;
}

/** The server could not answer. The message is shown to the reader. */
export class ReportSourceError extends Error {
  override readonly name = 'ReportSourceError';
}

/** The snapshot inside the page if there is one, or else the server. */
export async function openSource(): Promise<ReportSource> {
  const packed = document.getElementById(SNAPSHOT_ELEMENT)?.textContent?.trim();
  return packed ? snapshotSource(await unpack(packed)) : serverSource();
}

async function unpack(text: string): Promise<Snapshot> {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const unzipped = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return (await new Response(unzipped).json()) as Snapshot;
}

function snapshotSource({ asOfMs, choices, summaries, answers }: Snapshot): ReportSource {
  return {
    choices: async (search, picked) => ({ asOfMs, ...choicesFor(choices, search, picked) }),
    summary: async (series) => summaries[series],
    picture: async (question) => answers[questionKey(question)],
  };
}

function serverSource(): ReportSource {
  return {
    choices: (search, picked) => get('choices', { search, picked }),
    summary: (series) => get('summary', { series }),
    picture: ({ picture, series, window }) => get('picture', { picture, series, window }),
    pulse: () => get('pulse'),
  };
}

async function get<T>(path: string, query: Record<string, string | undefined> = {}): Promise<T> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, value);
  let response: Response;
  try {
    response = await fetch(`api/${path}?${search}`);
  } catch {
    throw new ReportSourceError('The pipeline does not answer. Is "npm start" still running?');
  }
  const body = (await response.json()) as T | Failure;
  if (!response.ok) throw new ReportSourceError((body as Failure).message);
  return body as T;
}
