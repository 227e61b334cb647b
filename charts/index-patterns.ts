import {
  type ChartedIndices,
  INDEX_FIELDS,
  type IndexFieldKind,
  ORIGINAL,
} from '../core/market/index-fields.ts';
import { CANDLE_INDICES, TICKER_INDICES } from '../core/market/index-names.ts';
import { PREFIX, seriesLink } from './dashboards-layout.ts';

/** The id of an index pattern. */
export const patternId = (pattern: ChartedIndices): string => `${PREFIX}-${pattern.replace(/-\*$/, '')}`;

/** A field as Dashboards describes it in an index pattern. */
interface PatternField {
  name: string;
  type: 'string' | 'number' | 'date' | '_source';
  esTypes?: string[];
  count: 0;
  scripted: false;
  searchable: boolean;
  aggregatable: boolean;
  readFromDocValues: boolean;
  subType?: { multi: { parent: string } };
}

const TYPES: Record<IndexFieldKind, [type: PatternField['type'], esType: string]> = {
  version: ['number', 'byte'],
  name: ['string', 'keyword'],
  text: ['string', 'keyword'],
  price: ['number', 'double'],
  number: ['number', 'double'],
  fraction: ['number', 'double'],
  count: ['number', 'integer'],
  time: ['date', 'date'],
};

/** How Dashboards shows values, unless by its default. With the offset, because it shows times in the reader's zone. */
const FORMATS: Partial<Record<IndexFieldKind, { id: string; params: { pattern: string } }>> = {
  price: { id: 'number', params: { pattern: '0,0.[0000000000]' } },
  fraction: { id: 'percent', params: { pattern: '0,0.[0000]%' } },
  time: { id: 'date', params: { pattern: 'YYYY-MM-DD HH:mm:ss.SSS Z' } },
};

/** A symbol in a table opens the dashboard of that currency. */
const symbolLink = {
  id: 'url',
  params: {
    type: 'a',
    urlTemplate: seriesLink(patternId(CANDLE_INDICES)),
    labelTemplate: '{{value}}',
    openLinkInCurrentTab: true,
  },
};

/**
 * The attributes of an index pattern that Dashboards would fill in when somebody first opens it, by writing
 * the pattern: a reader may not write, and several people at once would get a conflict.
 */
export function fieldAttributes(indices: ChartedIndices): { fields: string; fieldFormatMap: string } {
  const kinds = Object.entries<IndexFieldKind>(INDEX_FIELDS[indices]);
  const fields = kinds.map(([name, kind]) => {
    const [type, esType] = TYPES[kind];
    return field(name, type, { esTypes: [esType], searchable: true, aggregatable: true });
  });
  const keyword = {
    ...field('symbol.keyword', 'string', { esTypes: ['keyword'], searchable: true, aggregatable: true }),
    subType: { multi: { parent: 'symbol' } },
  };
  const original = indices === TICKER_INDICES ? [field(ORIGINAL, 'string', { esTypes: ['keyword'] })] : [];
  const formats = [
    ...kinds.flatMap(([name, kind]) => (FORMATS[kind] ? [[name, FORMATS[kind]]] : [])),
    ['symbol', symbolLink],
  ];
  return {
    fields: JSON.stringify([...fields, keyword, ...original, ...METADATA]),
    fieldFormatMap: JSON.stringify(Object.fromEntries(formats)),
  };
}

/** OpenSearch's own fields that Dashboards lists. */
const METADATA: PatternField[] = [
  field('_id', 'string', { esTypes: ['_id'], searchable: true, aggregatable: true }),
  field('_index', 'string', { esTypes: ['_index'], searchable: true, aggregatable: true }),
  field('_score', 'number'),
  field('_source', '_source', { esTypes: ['_source'] }),
  field('_type', 'string'),
];

function field(
  name: string,
  type: PatternField['type'],
  { searchable = false, aggregatable = false, ...rest }: Partial<PatternField> = {},
): PatternField {
  // Metadata has no columns.
  const readFromDocValues = aggregatable && !name.startsWith('_');
  return { name, type, ...rest, count: 0, scripted: false, searchable, aggregatable, readFromDocValues };
}
