import { parseExpression } from 'vega';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { BOARDS, DASHBOARD_ID, SERIES_DASHBOARD_ID } from '../../../charts/dashboards-layout.ts';
import { DASHBOARD_PICTURES } from '../../../charts/pictures/all.ts';
import { type Json, TIME_FIELDS } from '../../../charts/pictures/chart.ts';
import { type SavedObject, savedObjects, savedObjectsNdjson } from '../../../charts/saved-objects.ts';
import { mapNodes } from '../../../charts/specs.ts';
import { indexTemplates } from '../../../stores/opensearch/index-templates.ts';
import { compiled } from '../../pages/drawing.ts';

/** JSON text with the given shape. */
const jsonOf = <T extends z.ZodType>(schema: T) =>
  z.string().transform((text, context) => {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: z.prettifyError(parsed.error) });
    return z.NEVER;
  });

const reference = z.strictObject({ name: z.string(), type: z.string(), id: z.string() });
const meta = z.strictObject({
  searchSourceJSON: jsonOf(
    z.looseObject({
      query: z.object({ query: z.literal(''), language: z.literal('kuery') }),
      filter: z.array(z.never()),
    }),
  ),
});

/** The attributes that Dashboards knows. It rejects others, and a missing one breaks a page. */
const ATTRIBUTES = {
  'index-pattern': z.strictObject({
    title: z.string(),
    timeFieldName: z.string(),
    fields: jsonOf(z.array(z.object({ name: z.string(), type: z.string() }).loose()).min(1)),
    fieldFormatMap: jsonOf(z.record(z.string(), z.object({ id: z.string(), params: z.object({}).loose() }))),
  }),
  visualization: z.strictObject({
    title: z.string(),
    description: z.string().min(1),
    visState: jsonOf(
      z.strictObject({
        title: z.string(),
        type: z.string(),
        aggs: z.array(z.never()),
        params: z.object({}).loose(),
      }),
    ),
    uiStateJSON: jsonOf(z.strictObject({})),
    version: z.literal(1),
    kibanaSavedObjectMeta: meta,
  }),
  search: z.strictObject({
    title: z.string(),
    description: z.string(),
    hits: z.literal(0),
    columns: z.array(z.string()),
    sort: z.array(z.tuple([z.string(), z.enum(['asc', 'desc'])])),
    version: z.literal(1),
    kibanaSavedObjectMeta: meta,
  }),
  dashboard: z.strictObject({
    title: z.string(),
    description: z.string(),
    hits: z.literal(0),
    panelsJSON: jsonOf(
      z.array(
        z.strictObject({
          version: z.string(),
          gridData: z.strictObject({
            x: z.number().int(),
            y: z.number().int(),
            w: z.number().int(),
            h: z.number().int(),
            i: z.string(),
          }),
          panelIndex: z.string(),
          embeddableConfig: z.strictObject({}),
          panelRefName: z.string(),
        }),
      ),
    ),
    optionsJSON: jsonOf(z.strictObject({ useMargins: z.boolean(), hidePanelTitles: z.boolean() })),
    version: z.literal(1),
    timeRestore: z.boolean(),
    timeFrom: z.string().optional(),
    timeTo: z.string().optional(),
    refreshInterval: z.strictObject({ pause: z.boolean(), value: z.number() }).optional(),
    kibanaSavedObjectMeta: meta,
  }),
} as const;

const OBJECTS = savedObjects();
const named = OBJECTS.map((object) => [`${object.type} ${object.id}`, object] as const);

const visStateOf = ({ attributes }: SavedObject) =>
  JSON.parse(String(attributes.visState)) as { type: string; params: Json };

const vegaSpecs = OBJECTS.filter(({ type }) => type === 'visualization')
  .filter((object) => visStateOf(object).type === 'vega')
  .map((object) => [object.id, JSON.parse(String(visStateOf(object).params.spec)) as Json] as const);

/** The mapped fields of an index pattern's documents. */
function mappedFields(pattern: string): Set<string> {
  const templates = Object.values(indexTemplates({ shards: 1, replicas: 0, refreshInterval: '1s' }));
  const template = templates.find(({ index_patterns }) => (index_patterns as string[]).includes(pattern));
  const { mappings } = (template?.template ?? {}) as { mappings?: { properties: Json } };
  return new Set(Object.keys(mappings?.properties ?? {}));
}

/** Every `field` in a query, including composite sources. */
function fieldsIn(query: unknown): string[] {
  const fields: string[] = [];
  mapNodes(query, (node) => {
    const { field, term, range } = (node ?? {}) as Json;
    if (typeof field === 'string') fields.push(field);
    for (const clause of [term, range]) if (clause) fields.push(...Object.keys(clause));
    return node;
  });
  return fields;
}

describe('the saved objects', () => {
  it.each(named)('have the attributes that Dashboards knows and needs: %s', (_, object) => {
    const result = ATTRIBUTES[object.type].safeParse(object.attributes);
    expect(result.error && z.prettifyError(result.error)).toBeUndefined();
    expect(z.array(reference).safeParse(object.references).success).toBe(true);
  });

  it.each(named)('refer only to existing objects: %s', (_, { references }) => {
    const there = new Set(OBJECTS.map(({ type, id }) => `${type} ${id}`));
    for (const { type, id } of references) expect(there).toContain(`${type} ${id}`);
  });

  it('have unique ids that never change', () => {
    const ids = OBJECTS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^crypto-market-insights-[a-z0-9-]+$/.test(id))).toBe(true);
    expect(savedObjects()).toEqual(OBJECTS);
    expect(ids).toMatchInlineSnapshot(`
      [
        "crypto-market-insights-tickers",
        "crypto-market-insights-candles",
        "crypto-market-insights-moves",
        "crypto-market-insights-chart-headline",
        "crypto-market-insights-chart-candlesticks",
        "crypto-market-insights-chart-price",
        "crypto-market-insights-chart-change",
        "crypto-market-insights-chart-bands",
        "crypto-market-insights-chart-average",
        "crypto-market-insights-chart-coverage",
        "crypto-market-insights-chart-moves-per-week",
        "crypto-market-insights-chart-move-sizes",
        "crypto-market-insights-chart-moves-by-currency",
        "crypto-market-insights-chart-volatility",
        "crypto-market-insights-chart-spread",
        "crypto-market-insights-chart-funding",
        "crypto-market-insights-chart-ticks-per-hour",
        "crypto-market-insights-chart-freshness",
        "crypto-market-insights-chart-delay",
        "crypto-market-insights-chart-gaps",
        "crypto-market-insights-chart-completeness",
        "crypto-market-insights-controls",
        "crypto-market-insights-notes",
        "crypto-market-insights-notes-series",
        "crypto-market-insights-notes-pipeline",
        "crypto-market-insights-ticks",
        "crypto-market-insights-overview",
        "crypto-market-insights-series",
        "crypto-market-insights-pipeline",
      ]
    `);
  });

  const dashboards = OBJECTS.filter(({ type }) => type === 'dashboard');

  it('name every panel’s object in the dashboards, and show every chart', () => {
    for (const { attributes, references } of dashboards) {
      const panels = JSON.parse(String(attributes.panelsJSON)) as { panelRefName: string }[];
      expect(panels.map(({ panelRefName }) => panelRefName)).toEqual(references.map(({ name }) => name));
    }
    const shown = new Set(dashboards.flatMap(({ references }) => references.map(({ id }) => id)));
    for (const { id } of DASHBOARD_PICTURES.flatMap(({ charts }) => charts))
      expect(shown).toContain(`crypto-market-insights-chart-${id}`);
  });

  it('arrange panels without overlap within 48 columns', () => {
    for (const { panels } of BOARDS) {
      const cells = panels.flatMap(([, , x, y, w, h]) =>
        Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
      for (const [, , x, , w] of panels) expect(x + w).toBeLessThanOrEqual(48);
    }
  });

  it('link every symbol to the dashboard of one currency, which keeps the time range', () => {
    for (const { id, attributes } of OBJECTS.filter(({ type }) => type === 'index-pattern')) {
      const formats = JSON.parse(String(attributes.fieldFormatMap)) as Record<string, { params: Json }>;
      const { urlTemplate, ...params } = formats.symbol?.params ?? {};
      expect(params, id).toEqual({ type: 'a', labelTemplate: '{{value}}', openLinkInCurrentTab: true });
      const [, hash = ''] = String(urlTemplate).replaceAll('{{value}}', 'BTC-USDT').split('#');
      const [view, state] = hash.split('?_a=');
      expect(view).toBe(`/view/${SERIES_DASHBOARD_ID}`);
      expect(state).toContain("query:(match_phrase:(symbol:'BTC-USDT'))");
      expect(state).toContain("index:'crypto-market-insights-candles'");
    }
    expect(dashboards.map(({ attributes }) => attributes.timeRestore)).toEqual([true, false, true]);
  });

  it('link the dashboards to each other', () => {
    const there = new Set(dashboards.map(({ id }) => id));
    for (const { id, markdown } of BOARDS) {
      const linked = [...markdown.matchAll(/#\/view\/([\w-]+)/g)].map(([, to]) => to);
      expect(linked.length, id).toBeGreaterThan(0);
      for (const to of linked) expect(there).toContain(to);
    }
  });

  it('let the controls filter by fields that all index patterns share', () => {
    const controls = OBJECTS.find(({ id }) => id.endsWith('-controls')) as SavedObject;
    const { controls: lists } = visStateOf(controls).params as {
      controls: { fieldName: string; indexPatternRefName: string }[];
    };
    expect(lists.map(({ indexPatternRefName }) => indexPatternRefName)).toEqual(
      controls.references.map(({ name }) => name),
    );
    for (const { fieldName } of lists) {
      for (const pattern of Object.keys(TIME_FIELDS)) expect(mappedFields(pattern)).toContain(fieldName);
    }
  });

  it('use only mapped fields in index patterns and the saved search', () => {
    for (const [pattern, timeField] of Object.entries(TIME_FIELDS)) {
      expect(mappedFields(pattern)).toContain(timeField);
    }
    const { attributes } = OBJECTS.find(({ type }) => type === 'search') as SavedObject;
    for (const field of attributes.columns as string[]) expect(mappedFields('tickers-*')).toContain(field);
  });

  it('open with the last week, or with another time range', () => {
    const opening = (objects: SavedObject[]) => {
      const { timeFrom, timeTo } = objects.find(({ id }) => id === DASHBOARD_ID)?.attributes ?? {};
      return { timeFrom, timeTo };
    };
    expect(opening(OBJECTS)).toEqual({ timeFrom: 'now-7d', timeTo: 'now' });
    const range = { from: '2018-01-01T00:00:00.000Z', to: '2018-08-01T00:00:00.000Z' };
    expect(opening(savedObjects(range))).toEqual({ timeFrom: range.from, timeTo: range.to });
  });

  it('are one object a line', () => {
    const lines = savedObjectsNdjson().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(OBJECTS);
  });
});

/** Identifiers that Dashboards forbids in expressions (its vega_validation.ts, and additions of older versions). */
const BLOCKED = new Set(
  'window document global globalThis top parent frames self constructor ownerDocument defaultView contentDocument contentWindow view innerHTML outerHTML prototype __proto__ eval Function setTimeout setInterval atob btoa'.split(
    ' ',
  ),
);

describe.each(vegaSpecs)('the specification of %s', (_, spec) => {
  const { config: _config, ...drawn } = spec;

  it('compiles without a warning', () => {
    expect(compiled(drawn).marks?.length).toBeGreaterThan(0);
  });

  it('contains no expression that Dashboards forbids', () => {
    const expressions: string[] = [];
    mapNodes(compiled(drawn), (node) => {
      for (const key of ['expr', 'update', 'test', 'calculate', 'filter', 'signal']) {
        const text = (node as Json | null)?.[key];
        if (typeof text === 'string') expressions.push(text);
      }
      return node;
    });
    expect(expressions.length).toBeGreaterThan(0);
    for (const expression of expressions) {
      mapNodes(parseExpression(expression), (node) => {
        const { type, name, value } = (node ?? {}) as Json;
        if (type === 'Identifier') expect(BLOCKED).not.toContain(name);
        if (type === 'Literal') expect(BLOCKED).not.toContain(value);
        const { computed, property } = (node ?? {}) as { computed?: boolean; property?: Json };
        if (computed) expect(['Literal', 'Identifier'], expression).toContain(property?.type);
        return node;
      });
    }
  });

  it('queries mapped fields only, and names each data set once', () => {
    const names: unknown[] = [];
    mapNodes(spec, (node) => {
      const { url, name } = (node ?? {}) as { url?: Json; name?: string };
      if (!url) return node;
      names.push(name);
      const mapped = new Set(
        String(url.index)
          .split(',')
          .flatMap((pattern) => [...mappedFields(pattern)]),
      );
      for (const field of fieldsIn(url.body)) expect(mapped).toContain(field);
      return node;
    });
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a picture', () => {
  it.each(DASHBOARD_PICTURES.map((picture) => [picture.id, picture] as const))(
    'means the same by a query of the same name: %s',
    (_, { charts }) => {
      const queries = charts.flatMap((chart) =>
        Object.entries(chart.queries).map(([name, query]) => ({
          name,
          query,
          ofOneCurrency: chart.ofOneCurrency,
        })),
      );
      for (const { name, query, ofOneCurrency } of queries) {
        for (const other of queries.filter((each) => each.name === name)) {
          expect(other).toEqual({ name, query, ofOneCurrency });
        }
      }
    },
  );
});
