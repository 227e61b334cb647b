import {
  type ChartedIndices,
  INDEX_FIELDS,
  type IndexFieldKind,
  ORIGINAL,
} from '../../core/market/index-fields.ts';
import {
  CANDLE_INDICES,
  LATE_HOURS_INDEX,
  MOVES_INDEX,
  SUMMARY_STATE_INDEX,
  TICKER_INDICES,
} from '../../core/market/index-names.ts';
import { SERIES_FIELDS } from './queries.ts';

/** What differs between a local server and a domain. */
export interface IndexSettings {
  shards: number;
  replicas: number;
  /** How long until a new document can be searched, e.g. `30s`. */
  refreshInterval: string;
}

/** Something that setup puts into OpenSearch; repeating it changes nothing. */
export interface SetupStep {
  /** For messages: "the index template crypto-market-insights-tickers". */
  what: string;
  /** Path of the PUT request. */
  path: string;
  body: object;
}

type Mapping = Record<string, unknown>;

const keyword: Mapping = { type: 'keyword' };
/**
 * The first format is the one that documents have, and what OpenSearch answers with; it is parsed nearly three times as
 * fast as the second, which is for queries. A ticker has four times, whose parsing was a quarter of the work.
 */
const date: Mapping = {
  type: 'date',
  format: "uuuu-MM-dd'T'HH:mm:ss.SSSX||strict_date_optional_time",
};
/**
 * Many times as fast. Queries have to write a time of day with seconds and offset, and a date means UTC whatever the
 * reader's time zone.
 */
const unsearchedDate: Mapping = { ...date, format: 'rfc3339_lenient', index: false };

/** Every number is a double, so that it comes back to the last bit. */
const KIND_MAPPINGS: Record<IndexFieldKind, Mapping> = {
  version: { type: 'byte' },
  name: keyword,
  text: keyword,
  price: { type: 'double' },
  number: { type: 'double' },
  fraction: { type: 'double' },
  count: { type: 'integer' },
  time: date,
};

/**
 * Besides the names. Only these get a search tree, which is expensive to build: OpenSearch filters and sorts by any
 * other field's column.
 */
const SEARCHED = new Set([
  'slot',
  'timestamp',
  'start',
  'confirmed_time',
  'hours',
  'samples',
  'log_return',
  'threshold',
  'size',
]);

function mappingOf(field: string, kind: IndexFieldKind): Mapping {
  if (kind === 'name' || SEARCHED.has(field)) return KIND_MAPPINGS[kind];
  return kind === 'time' ? unsearchedDate : { ...KIND_MAPPINGS[kind], index: false };
}

function propertiesOf(indices: ChartedIndices): Mapping {
  const fields = Object.entries<IndexFieldKind>(INDEX_FIELDS[indices]);
  return {
    ...Object.fromEntries(fields.map(([field, kind]) => [field, mappingOf(field, kind)])),
    // local/pipeline/article-queries.ts uses both `symbol` and `symbol.keyword`.
    symbol: { ...keyword, fields: { keyword } },
  };
}

/** Only what is searched for; the rest is in `_source`. */
const summaryStateProperties: Mapping = {
  kind: keyword,
  exchange: keyword,
  category: keyword,
  symbol: keyword,
  stale: { type: 'boolean' },
  hour: date,
};

/**
 * Of a document whose `_source` is made of the columns when it is asked for, instead of stored beside them. It equals
 * what was indexed, up to the order of the fields, as long as every field is mapped.
 */
const MADE_OF_COLUMNS: Mapping = { 'derived_source.enabled': true, codec: 'default' };

/** Text of any length that is only read with its document. */
const storedText: Mapping = { ...keyword, index: false, doc_values: false, store: true };

/** The index templates by name, as `PUT _index_template/<name>` takes them. `dynamic: false`: unmapped fields cost nothing. */
export function indexTemplates({
  shards,
  replicas,
  refreshInterval,
}: IndexSettings): Record<string, Mapping> {
  const stored = {
    number_of_shards: shards,
    number_of_replicas: replicas,
    refresh_interval: refreshInterval,
  };
  /** Keeps a series' documents together in time order: smaller on disk, and a question reads fewer blocks. */
  const sortedBy = (time: string) => ({
    ...stored,
    codec: 'best_compression',
    'sort.field': [...SERIES_FIELDS, time],
    'sort.order': ['asc', 'asc', 'asc', 'asc'],
  });
  const template = (
    description: string,
    patterns: string | string[],
    index: Mapping,
    properties: Mapping,
    aliases?: Mapping,
  ): Mapping => ({
    index_patterns: [patterns].flat(),
    priority: 100,
    _meta: { description },
    template: {
      settings: { index },
      mappings: { dynamic: false, properties },
      ...(aliases ? { aliases } : {}),
    },
  });
  return {
    'crypto-market-insights-tickers': template(
      'One document per series and poll, one index per month of slots.',
      TICKER_INDICES,
      { ...sortedBy('slot'), ...MADE_OF_COLUMNS },
      { ...propertiesOf(TICKER_INDICES), [ORIGINAL]: storedText },
      { tickers: {} },
    ),
    'crypto-market-insights-candles': template(
      'One document per series and hour (or day, if only daily history exists), one index per year.',
      CANDLE_INDICES,
      sortedBy('start'),
      // Only read with the document.
      { ...propertiesOf(CANDLE_INDICES), path: { type: 'object', enabled: false } },
    ),
    'crypto-market-insights-moves': template(
      'One document per series and rise or fall of a configured size.',
      MOVES_INDEX,
      sortedBy('confirmed_time'),
      propertiesOf(MOVES_INDEX),
    ),
    'crypto-market-insights-summaries-state': template(
      'What summarising remembers between runs, the lease that keeps two runs apart, and hours with late ticks.',
      [SUMMARY_STATE_INDEX, LATE_HOURS_INDEX],
      { ...stored, number_of_shards: 1, hidden: true },
      summaryStateProperties,
    ),
  };
}

export function templateSteps(settings: IndexSettings): SetupStep[] {
  return Object.entries(indexTemplates(settings)).map(([name, body]) => ({
    what: `the index template ${name}`,
    path: `/_index_template/${name}`,
    body,
  }));
}
