import type { Json, PageChart, PagePicture } from './pictures/chart.ts';
import { MOST_MARKETS } from './pictures/health-parts.ts';
import { seriesColour } from './pictures/parts.ts';
import type { PictureAnswer } from './questions.ts';
import { dataName, dataNames, mapNodes, spanningWindow } from './specs.ts';

/** The part of an answer that a chart needs. */
export type DrawnAnswer = Pick<PictureAnswer, 'fromMs' | 'toMs' | 'rows'>;

/** The parameters for a chart's window, whose end is now; the page updates them as time passes. */
export function windowSignals({ fromMs, toMs }: DrawnAnswer): Record<string, number> {
  const nowMs = toMs - 1;
  return { windowStart: fromMs, windowEnd: nowMs, asOf: nowMs };
}

/**
 * A chart for the report page: with the rows of the answer, a time axis that spans the window, and the choices the
 * reader made in the page's controls.
 * @param choices by the name of the parameter
 */
export function pageSpec(
  chart: PageChart,
  picture: Pick<PagePicture, 'choices'>,
  answer: DrawnAnswer,
  choices: Readonly<Record<string, string | number>> = {},
): Json {
  const { params = [], ...view } = chart.spec as Json & { params?: Json[] };
  const spec = mapNodes(view, (node) => {
    const name = dataName(node);
    if (name !== undefined) return { name, values: answer.rows[name] ?? [] };
    // The page already names the picked currency above the charts.
    if (chart.ofOneCurrency && node === seriesColour) return { ...seriesColour, legend: null };
    return chart.overTime ? spanningWindow(node) : node;
  }) as Json;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: chart.description,
    width: 'container',
    height: heightOf(chart, answer),
    autosize: { type: 'fit', contains: 'padding', resize: true },
    ...spec,
    params: [
      ...Object.entries(windowSignals(answer)).map(([name, value]) => ({ name, value })),
      // The page draws one series.
      { name: 'compared', value: false },
      { name: 'recorded', value: false },
      ...(picture.choices ?? []).map(({ name, value }) => ({ name, value: choices[name] ?? value })),
      ...params,
    ],
  };
}

/** The axis and the legend need about as much as two rows. */
function heightOf({ height, rowHeight = 0, spec }: PageChart, { rows }: DrawnAnswer): number {
  const [data = ''] = dataNames(spec);
  const markets = Math.min(MOST_MARKETS, rows[data]?.length ?? 0);
  return Math.max(height, (markets + 2) * rowHeight);
}
