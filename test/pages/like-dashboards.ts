import type { Json } from '../../charts/pictures/chart.ts';
import { mapNodes } from '../../charts/specs.ts';

/** The context that a dashboard passes to its charts. */
export interface DashboardContext {
  fromMs: number;
  toMs: number;
  /** From the filter bar and the controls. */
  filters: Json[];
}

/**
 * Runs a specification's queries as OpenSearch Dashboards does (`opensearch_query_parser.ts` there), and puts the
 * answers in their place.
 */
export async function resolveQueries(
  spec: Json,
  context: DashboardContext,
  search: (index: string, body: object) => Promise<object>,
): Promise<Json> {
  const answers = new Map<unknown, object>();
  const urls: Json[] = [];
  mapNodes(spec, (node) => {
    if (isQuery(node)) urls.push(node);
    return node;
  });
  for (const node of urls) {
    const { index, body } = node.url as { index: string; body: Json };
    answers.set(node, await search(index, inject(body, context) as Json));
  }
  return mapNodes(spec, (node) => {
    if (!isQuery(node)) return node;
    const { url: _, ...rest } = node;
    return { ...rest, values: answers.get(node) };
  }) as Json;
}

function isQuery(node: unknown): node is Json {
  return typeof node === 'object' && node !== null && 'url' in node && typeof node.url === 'object';
}

/** Replaces the placeholders for the dashboard's clauses and bounds. */
function inject(body: Json, context: DashboardContext): unknown {
  return mapNodes(body, (node) => {
    if (Array.isArray(node) && node.some(isClause)) {
      return node.flatMap((each) =>
        each === '%dashboard_context-filter_clause%'
          ? context.filters
          : isClause(each)
            ? []
            : [inject(each, context)],
      );
    }
    const bound = (node as Json | null)?.['%timefilter%'];
    if (bound === true) return rangeOf(context);
    if (bound !== 'min' && bound !== 'max') return node;
    const { shift = 0, unit = 'd' } = node as { shift?: number; unit?: string };
    if (unit !== 'd') throw new Error(`Only days are known here, not "${unit}"`);
    return (bound === 'min' ? context.fromMs : context.toMs) + shift * 86_400_000;
  });
}

function isClause(node: unknown): boolean {
  return typeof node === 'string' && /^%dashboard_context-\w+_clause%$/.test(node);
}

function rangeOf({ fromMs, toMs }: DashboardContext): Json {
  return {
    gte: new Date(fromMs).toISOString(),
    lte: new Date(toMs).toISOString(),
    format: 'strict_date_optional_time',
  };
}
