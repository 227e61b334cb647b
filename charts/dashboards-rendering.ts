import type { Chart, ChartQuery, Json, Picture } from './pictures/chart.ts';
import { TIME_FIELDS } from './pictures/chart.ts';
import { dataName, literalColours, mapNodes } from './specs.ts';

/**
 * A chart for OpenSearch Dashboards, which runs the queries itself, with its own time range and filters, and lets the
 * chart fill its panel. How Dashboards reads a `url` object, and what it forbids in expressions:
 * src/plugins/vis_type_vega/public/data_model in opensearch-project/OpenSearch-Dashboards.
 */
export function dashboardsSpec(chart: Chart, picture: Pick<Picture, 'atLeastDays' | 'choices'>): Json {
  const { params = [], ...view } = chart.spec as Json & { params?: Json[] };
  const spec = mapNodes(view, (node) => {
    const name = dataName(node);
    const query = name === undefined ? undefined : chart.queries[name];
    if (query === undefined) return node;
    return { name, url: dashboardsQuery(query, picture.atLeastDays), format: { property: query.rows } };
  }) as Json;
  return literalColours({
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    description: chart.description,
    ...spec,
    params: [
      // Only the query knows the panel's window, so the last period of an average ends now.
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
    // Vega warns about an empty extent as long as there is no data.
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
                // The window, or that many days before its end, whichever starts earlier.
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
