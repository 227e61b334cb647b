import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { markdownTable } from '../core/text/markdown-table.ts';
import { writeFileAtomically } from '../local/atomic-file.ts';
import { FIGURE_VALUES } from './figures.ts';
import { type Rows, rounded } from './tables.ts';

const FIGURES = fileURLToPath(new URL('../bench/scale/figures.json', import.meta.url));
const PICTURE = 'docs/scale-growth.svg';

/** As `npm run bench -- --only scale` writes it. */
interface Growth {
  date: string;
  machine: string;
  series: number[];
  rows: { what: string; unit: string; goal?: string; values: (number | null)[] }[];
}

const readGrowth = () => JSON.parse(readFileSync(FIGURES, 'utf8')) as Growth;

/** The model's estimates, by the name of the measured line. */
const MODEL: Readonly<Record<string, (series: number) => number>> = {
  'summarise an hour': (series) => (FIGURE_VALUES.summariseSecondsPer1000Series * series) / 1_000,
  '… CPU time of the function': (series) => (FIGURE_VALUES.summariseCpuSecondsPer1000Series * series) / 1_000,
  '… CPU of functions and OpenSearch for 1,000 tickers': () =>
    FIGURE_VALUES.pollSecondsPer1000 +
    (FIGURE_VALUES.indexCpuSecondsPer100k + FIGURE_VALUES.openSearchCpuSecondsPer100k) / 100,
};

/**
 * What was measured at each number of series, the growth from the fewest to the most, and how far off the
 * estimates are.
 */
function growthRows({ series, rows }: Growth): Rows {
  const cell = (value: number | null | undefined, unit: string) =>
    typeof value === 'number' ? `${rounded(value)} ${unit}` : 'not measured';
  const timesOf = (values: readonly (number | null)[], unit: string) => {
    const [first, last] = [values[0], values.at(-1)];
    return unit !== 'h' && first && last ? `${rounded(last / first)} ×` : '';
  };
  const modelled = (value: number | null | undefined, model: number, unit: string) => {
    const error = value ? model / value - 1 : undefined;
    const sign = error === undefined || error < 0 ? '−' : '+';
    const wrong = error === undefined ? '' : ` (${sign}${Math.abs(error * 100).toFixed(0)} %)`;
    return `${rounded(model)} ${unit}${wrong}`;
  };
  return [
    ['what', ...series.map((count) => `${count.toLocaleString('en-US')} series`), 'growth', 'goal'],
    ...rows.flatMap(({ what, unit, goal = '', values }) => {
      const measured = [what, ...values.map((value) => cell(value, unit)), timesOf(values, unit), goal];
      const model = MODEL[what];
      if (!model) return [measured];
      const estimates = series.map((count, at) => modelled(values[at], model(count), unit));
      return [measured, ['… according to the model', ...estimates, '', '']];
    }),
  ];
}

/** The table with the day and the machine. */
export function growthTable(): string {
  const growth = readGrowth();
  return `${markdownTable(growthRows(growth))}\n\nMeasured on ${growth.date.slice(0, 10)}: ${growth.machine}.`;
}

/**
 * Draws how the seconds grow with the number of series.
 * @returns the file
 */
export async function drawGrowth(): Promise<string> {
  const { series, rows } = readGrowth();
  const drawn = rows.filter(({ what, unit }) => unit === 's' && !what.startsWith('…'));
  const values = drawn.flatMap(({ what, values: seconds }) =>
    seconds.flatMap((value, at) =>
      value === null ? [] : { what: what.replaceAll('`', ''), series: series[at], seconds: value },
    ),
  );
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    width: 520,
    height: 300,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'series', type: 'quantitative', scale: { type: 'log' }, title: 'series' },
      y: { field: 'seconds', type: 'quantitative', scale: { type: 'log' }, title: 'seconds' },
      color: { field: 'what', type: 'nominal', title: null, sort: null },
    },
    config: { legend: { labelLimit: 400 } },
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  writeFileAtomically(fileURLToPath(new URL(`../${PICTURE}`, import.meta.url)), `${await view.toSVG()}\n`);
  return PICTURE;
}
