import { readFileSync } from 'node:fs';

/** An input of the model. */
export interface Figure {
  value: number;
  unit: string;
  /** `measured`: on real local engines. */
  basis: 'measured' | 'assumed';
  /** The command that measured it, or the reason for the assumption. */
  how: string;
}

/** The contents of `figures.json`. */
export interface FigureFile {
  date: string;
  machine: string;
  figures: Record<FigureName, Figure>;
}

const FIGURE_NAMES = [
  'tickersPerExchange',
  'responseBytes',
  'lakeBytes',
  'topicBytes',
  'eventBytes',
  'bulkBytes',
  'tickerIndexBytes',
  'candleIndexBytes',
  'moveIndexBytes',
  'movesPerSeriesDay',
  'pollSecondsPer1000',
  'exchangeWaitSeconds',
  'indexSecondsPer100k',
  'indexCpuSecondsPer100k',
  'openSearchCpuSecondsPer100k',
  'summariseSecondsPer1000Series',
  'summariseCpuSecondsPer1000Series',
  'watchSeconds',
  'logBytesPerCall',
  'systemLogBytesPerCall',
  'otherLogGb',
] as const;

export type FigureName = (typeof FIGURE_NAMES)[number];
export type Figures = Readonly<Record<FigureName, number>>;

const FILE = new URL('figures.json', import.meta.url);

export function readFigureFile(): FigureFile {
  return JSON.parse(readFileSync(FILE, 'utf8')) as FigureFile;
}

/** The values alone. @throws Error that names a missing figure */
export function figuresOf({ figures }: FigureFile): Figures {
  return Object.fromEntries(
    FIGURE_NAMES.map((name) => {
      const value: unknown = figures[name]?.value;
      if (typeof value !== 'number' || !(value >= 0)) {
        throw new Error(`figures.json has no usable figure "${name}".`);
      }
      return [name, value];
    }),
  ) as Figures;
}
