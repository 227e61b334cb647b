import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeFileAtomically } from '../../local/atomic-file.ts';
import type { PollFigures } from './polls.ts';
import type { QuestionFigures } from './questions.ts';
import type { SummaryFigures } from './summaries.ts';

const FILE = fileURLToPath(new URL('figures.json', import.meta.url));

/** What was measured at one number of series. */
export interface ScaleFigures extends SummaryFigures, QuestionFigures, PollFigures {
  series: number;
}

export function writeFigures(figures: readonly ScaleFigures[]): void {
  writeFileAtomically(FILE, `${JSON.stringify({ date: new Date().toISOString(), figures }, null, 2)}\n`);
}

export function readFigures(): ScaleFigures[] {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { figures: ScaleFigures[] }).figures;
}
