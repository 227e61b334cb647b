import type { Chart, ChartQuery, Json, Picture } from './pictures/chart.ts';
import { TIME_FIELDS } from './pictures/chart.ts';
import { dataName, literalColours, mapNodes } from './specs.ts';

/**
 * A chart as OpenSearch Dashboards draws it: it runs the queries itself, within its time range and filters, and gives
 * the chart all the room of its panel. How it reads a `url` object, and what an expression may not contain:
 * src/plugins/vis_type_vega/public/data_model in opensearch-project/OpenSearch-Dashboards.
 */
export function dashboardsSpec(chart: Chart, picture: Pick<Picture, 'atLeastDays' | 'choices'>): Json {
  const { params = [], ...view } = chart.spec as Json & { params?: Json[] };
  const spec = mapNodes(view, (node) => {
    const name = dataName(node);
    const query = name === undefined ? undefined : chart.queries[name];
    if (query === undefined) return node;
    // The name keeps the answers of two queries apart.
    return { name, url: dashboardsQuery(query, picture.atLeastDays), format: { property: query.rows } };
  }) as Json;
  return literalColours({
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    description: chart.description,
    ...spec,
    params: [
      // The panel's window is known to the query only: an average's last period ends now.
      { name: 'windowStart', value: 0 },
      { name: 'windowEnd', expr: 'now()' },
      { name: 'asOf', expr: 'now()' },
      ...(picture.choices ?? []).map(({ name, label, options, value }) => ({
        name,
        value,
        bind: {
          input: 'radio',
          name: `${label} `,
          options: options.map((option) => option.value),
          labels: options.map((option) => option.label),
        },
      })),
      ...params,
    ],
    // Vega warns of an empty extent wherever there is no data yet.
    config: { kibana: { hideWarnings: true, renderer: 'svg' } },
  }) as Json;
}

/** The `url` object of a query. */
function dashboardsQuery({ index, aggs }: ChartQuery, atLeastDays: number | undefined): Json {
  const timeField = TIME_FIELDS[index];
  if (!atLeastDays) {
    return { index, '%context%': true, '%timefield%': timeField, body: { size: 0, aggs } };
  }
  const daysBefore = { '%timefilter%': 'max', shift: -atLeastDays, unit: 'd' };
  return {
    index,
    body: {
      size: 0,
      aggs,
      query: {
        bool: {
          must: ['%dashboard_context-must_clause%'],
          must_not: ['%dashboard_context-must_not_clause%'],
          filter: [
            '%dashboard_context-filter_clause%',
            {
              bool: {
                // The window, or so many days up to its end: whichever begins earlier.
                should: [
                  { range: { [timeField]: { '%timefilter%': true } } },
                  {
                    range: {
                      [timeField]: {
                        gte: daysBefore,
                        lte: { '%timefilter%': 'max' },
                        format: 'epoch_millis',
                      },
                    },
                  },
                ],
                minimum_should_match: 1,
              },
            },
          ],
        },
      },
    },
  };
}
