import { fileURLToPath } from 'node:url';
import { writeFileAtomically } from '../../local/atomic-file.ts';
import type { PageFigures } from './first-picture.ts';
import type { PollFigures } from './polls.ts';
import type { QuestionFigures } from './questions.ts';
import type { SummaryFigures } from './summaries.ts';

const FILE = fileURLToPath(new URL('figures.json', import.meta.url));

/** What was measured at one number of series. */
export interface ScaleFigures extends SummaryFigures, QuestionFigures, PollFigures, PageFigures {
  series: number;
}

/** A line of the table in docs/scale.md; a value that was not measured is null. */
export interface GrowthRow {
  what: string;
  unit: 's' | 'MB' | 'h';
  goal?: string;
  /** In the order of `series`. */
  values: (number | null)[];
}

export interface Growth {
  date: string;
  machine: string;
  series: number[];
  rows: GrowthRow[];
}

type Row = readonly [
  what: string,
  unit: GrowthRow['unit'],
  of: (figures: ScaleFigures) => number,
  goal?: string,
];

const IN_PROPORTION = '≤ 10 ×';

const ROWS: readonly Row[] = [
  ['summarise an hour', 's', (each) => each.hourSeconds, IN_PROPORTION],
  ['… CPU time of the function', 's', (each) => each.hourCpuSeconds],
  ['… memory at most, a heap of 256 MB', 'MB', (each) => each.hourPeakMb, '≤ 350 MB'],
  ['the first hour of new series', 's', (each) => each.firstHourSeconds],
  ['catch up after an outage: hours', 'h', (each) => each.catchUpHours],
  ['… an hour of it', 's', (each) => each.catchUpSeconds / each.catchUpHours, IN_PROPORTION],
  ['… memory at most', 'MB', (each) => each.catchUpPeakMb, '≤ 350 MB'],
  ['look for late ticks, and find none', 's', (each) => each.nothingLateSeconds, '≤ 2 s'],
  ['`volatile --top 10` over 7 days, p95', 's', (each) => each.volatile.p95Ms / 1_000, '≤ 3 s'],
  ['… p50', 's', (each) => each.volatile.p50Ms / 1_000],
  ['`series`, p95', 's', (each) => each.known.p95Ms / 1_000, '≤ 3 s'],
  ['… p50', 's', (each) => each.known.p50Ms / 1_000],
  [
    '`percentiles --top 10` over 7 days, a tick an hour, p95',
    's',
    (each) => each.percentiles.p95Ms / 1_000,
    '≤ 3 s',
  ],
  ['… p50', 's', (each) => each.percentiles.p50Ms / 1_000],
  ['… for a million ticks', 's', (each) => each.percentilesMsPerMillion / 1_000],
  ['one slot of all sources → searchable, the slowest of ten', 's', (each) => each.slotSeconds, '≤ 120 s'],
  ['… CPU of functions and OpenSearch for 1,000 tickers', 's', (each) => each.slotCpuSecondsPer1000, '≤ 1 ×'],
  ['data of the first picture: page, picker, picture', 's', (each) => each.firstPictureMs / 1_000, '≤ 2 s'],
  ['search in the picker', 's', (each) => each.searchMs / 1_000],
];

/** What was measured, ready for docs/scale.md and its picture. */
export function growthOf(figures: readonly ScaleFigures[], machine: string): Growth {
  return {
    date: new Date().toISOString(),
    machine,
    series: figures.map(({ series }) => series),
    rows: ROWS.map(([what, unit, of, goal]) => ({
      what,
      unit,
      ...(goal === undefined ? {} : { goal }),
      values: figures.map((each) => Number(of(each).toPrecision(3))),
    })),
  };
}

export function writeGrowth(growth: Growth): void {
  writeFileAtomically(FILE, `${JSON.stringify(growth, null, 2)}\n`);
}
