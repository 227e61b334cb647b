/*
 * Draws how the figures of `npm run bench -- --only scale` grow with the number of series into docs/scale-growth.svg:
 * `npx node bench/scale/draw.ts`.
 */

import { fileURLToPath } from 'node:url';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { writeFileAtomically } from '../../local/atomic-file.ts';
import { readFigures, type ScaleFigures } from './figures.ts';

const PICTURE = fileURLToPath(new URL('../../docs/scale-growth.svg', import.meta.url));

const LINES: Record<string, (figures: ScaleFigures) => number> = {
  'summarise an hour': ({ hourSeconds }) => hourSeconds,
  'catch up, an hour': ({ catchUpSeconds, catchUpHours }) => catchUpSeconds / catchUpHours,
  'nothing late': ({ nothingLateSeconds }) => nothingLateSeconds,
  'volatile, p95': ({ volatileP95Ms }) => volatileP95Ms / 1_000,
  'series, p95': ({ seriesP95Ms }) => seriesP95Ms / 1_000,
  'percentiles, p95': ({ percentilesP95Ms }) => percentilesP95Ms / 1_000,
};

const values = readFigures()
  .flatMap((figures) =>
    Object.entries(LINES).map(([what, of]) => ({ what, series: figures.series, seconds: of(figures) })),
  )
  // What was not measured at every size is left out.
  .filter(({ seconds }) => Number.isFinite(seconds));

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
    color: { field: 'what', type: 'nominal', title: null, sort: Object.keys(LINES) },
  },
};

const view = new View(parse(compile(spec).spec), { renderer: 'none' });
writeFileAtomically(PICTURE, `${await view.toSVG()}\n`);
