import type { Chart, Json, Picture } from './pictures/chart.ts';
import { seriesColour } from './pictures/parts.ts';
import type { PictureAnswer } from './questions.ts';
import { dataName, mapNodes } from './specs.ts';

/** What of an answer a chart is drawn from. */
export type DrawnAnswer = Pick<PictureAnswer, 'fromMs' | 'toMs' | 'rows'>;

/** The parameters that place a chart in its window; the page sets them anew when the window moves on. */
export function windowSignals({ fromMs, toMs }: DrawnAnswer): Record<string, number> {
  return { windowStart: fromMs, windowEnd: toMs, asOf: toMs };
}

/**
 * A chart as the report page draws it: the rows of the answer inside, time from edge to edge of the window, and the
 * choices made by controls of the page's own.
 * @param choices by the name of the parameter
 */
export function pageSpec(
  chart: Chart,
  picture: Pick<Picture, 'choices'>,
  answer: DrawnAnswer,
  choices: Readonly<Record<string, string | number>> = {},
): Json {
  const { params = [], ...view } = chart.spec as Json & { params?: Json[] };
  const spec = mapNodes(view, (node) => {
    const name = dataName(node);
    if (name !== undefined && chart.queries[name]) return { name, values: answer.rows[name] ?? [] };
    // Which currency is picked stands above.
    if (chart.ofOneCurrency && node === seriesColour) return { ...seriesColour, legend: null };
    return chart.overTime && isTimeScale(node) ? { ...node, domain: WINDOW } : node;
  }) as Json;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: chart.description,
    width: 'container',
    height: chart.height,
    autosize: { type: 'fit', contains: 'padding', resize: true },
    ...spec,
    params: [
      ...Object.entries(windowSignals(answer)).map(([name, value]) => ({ name, value })),
      ...(picture.choices ?? []).map(({ name, value }) => ({ name, value: choices[name] ?? value })),
      ...params,
    ],
  };
}

const WINDOW = { expr: '[windowStart, windowEnd]' };

function isTimeScale(node: unknown): node is Json {
  return typeof node === 'object' && node !== null && 'type' in node && node.type === 'utc';
}
