import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { IndexPattern, Json } from '../../../charts/pictures/chart.ts';
import { savedObjects } from '../../../charts/saved-objects.ts';
import { candleFromHistory, candleId } from '../../../core/market/candle.ts';
import { moveId, moveOf, movesOf } from '../../../core/market/directional-change.ts';
import type { Ticker } from '../../../core/market/ticker.ts';
import { TICKER_FIELDS, type TickerField, type TickerFieldKind } from '../../../core/market/ticker-fields.ts';
import { candleRecord } from '../../../stores/opensearch/candle-record.ts';
import { fullTicker, SLOT_MS } from '../../samples/tickers.ts';
import { clearSummaries, clearTickers, freshBucket, openSearch } from '../services.ts';
import { startIndex, startSetup } from './handlers.ts';
import { eventOfValues } from './stores.ts';

const TICKERS = [
  fullTicker(),
  fullTicker({ symbol: 'FAR', last_price: 1.7976931348623157e308, turnover_24h: 3.5e38, gamma: 5e-324 }),
  fullTicker({ symbol: '币安USDT', base: 'BTC=F', timestamp: '2026-03-01T12:00:00.000Z' }),
];
const [TICKER] = TICKERS as [Ticker];
/** Written by a version that knows more fields. */
const NEWER = JSON.stringify({ ...fullTicker({ symbol: 'NEWER' }), note: { rank: [1.5, [null]] } });

const SERIES = {
  exchange: 'bybit',
  category: 'spot',
  symbol: 'BTCUSDT',
  base: 'BTC',
  quote: 'USDT',
} as const;
const CANDLE = candleFromHistory(SERIES, { startMs: SLOT_MS, open: 1, high: 2, low: 1, close: 2 }, 1);
const MOVES = movesOf(
  [100, 110, 95, 120].map((price, at) => [SLOT_MS + at, price] as const),
  0.05,
).map((move) => moveOf(CANDLE, move));

beforeAll(async () => {
  await clearTickers();
  await clearSummaries();
  await (await startSetup())();
  const index = await startIndex({ bucket: await freshBucket() });
  expect(await index(eventOfValues([...TICKERS, NEWER]))).toMatchObject({ indexed: 4, deadLetters: 0 });
  await openSearch.bulk({
    refresh: true,
    body: [
      { create: { _index: 'candles-2026', _id: candleId(CANDLE) } },
      candleRecord(CANDLE),
      ...MOVES.flatMap((move) => [{ create: { _index: 'moves', _id: moveId(move) } }, move]),
    ],
  });
  await openSearch.indices.refresh({ index: 'tickers-*' });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await clearTickers();
  await clearSummaries();
  await openSearch.close();
});

async function search(body: object, index = 'tickers-*') {
  return (await openSearch.search({ index, body: { ...body } })).body;
}

describe('every field of a ticker', () => {
  it('can be aggregated, sorted by and filtered on', async () => {
    const fields = Object.entries(TICKER_FIELDS) as [TickerField, TickerFieldKind][];
    const searches = fields.flatMap(([field, kind]) => [
      { index: 'tickers-*' },
      {
        query: { bool: { filter: [{ term: { symbol: 'BTCUSDT' } }, { term: { [field]: TICKER[field] } }] } },
        sort: [{ [field]: 'asc' }],
        aggs: { all: kind === 'text' ? { terms: { field } } : { max: { field } } },
      },
    ]);
    const { body } = await openSearch.msearch({ body: searches as object[] });
    const answers = (body.responses as Json[]).map(({ aggregations, error }) => {
      const { all } = (aggregations ?? {}) as { all?: { value?: number; buckets?: { key: string }[] } };
      return error ?? all?.value ?? all?.buckets?.[0]?.key;
    });
    expect(Object.fromEntries(fields.map(([field], at) => [field, answers[at]]))).toEqual(
      Object.fromEntries(
        fields.map(([field, kind]) => [
          field,
          kind === 'time' ? Date.parse(String(TICKER[field])) : TICKER[field],
        ]),
      ),
    );
  });

  it('comes back to the last bit, and so do fields that a newer version added', async () => {
    const { hits } = await search({ sort: ['symbol'] });
    const sources = hits.hits.map(({ _source }) => _source as unknown as Ticker);
    const found = new Map(sources.map((source) => [source.symbol, source]));
    for (const ticker of TICKERS) expect(found.get(ticker.symbol)).toEqual(ticker);
    expect(found.get('NEWER')).toEqual({ ...fullTicker({ symbol: 'NEWER' }), original: NEWER });
  });
});

describe('a time that people search by', () => {
  it.each([
    ['a day', { gte: '2026-03-01', lt: '2026-03-02' }, 4],
    ['a day in the reader’s time zone', { gte: '2026-03-01', lt: '2026-03-02', time_zone: '-13:00' }, 0],
    ['a time without seconds', { gte: '2026-03-01T12:00', lte: '2026-03-01T12:00' }, 4],
    ['an exact time', { gte: '2026-03-01T12:00:00.000Z', lte: '2026-03-01T13:00:00.999+01:00' }, 4],
    ['a month, and mathematics', { gte: '2026-03', lt: '2026-03-01||+1M' }, 4],
  ])('may be %s', async (_, range, found) => {
    for (const field of ['slot', 'timestamp']) {
      const { hits } = await search({ query: { range: { [field]: range } }, track_total_hits: true });
      expect([field, hits.total]).toEqual([field, { value: found, relation: 'eq' }]);
    }
  });
});

/** The search that Discover sends when somebody opens an index pattern (OpenSearch Dashboards 2.8). */
function discoverSearch({ timeFieldName }: { timeFieldName: string }, dateFields: readonly string[]) {
  return {
    version: true,
    size: 500,
    sort: [{ [timeFieldName]: { order: 'desc', unmapped_type: 'boolean' } }],
    aggs: {
      '2': {
        date_histogram: { field: timeFieldName, fixed_interval: '30m', time_zone: 'UTC', min_doc_count: 1 },
      },
    },
    stored_fields: ['*'],
    script_fields: {},
    docvalue_fields: dateFields.map((field) => ({ field, format: 'date_time' })),
    _source: { excludes: [] },
    query: {
      bool: {
        must: [],
        filter: [
          { match_all: {} },
          {
            range: {
              [timeFieldName]: {
                gte: '2026-02-22T00:00:00.000Z',
                lte: '2026-03-08T00:00:00.000Z',
                format: 'strict_date_optional_time',
              },
            },
          },
        ],
        should: [],
        must_not: [],
      },
    },
    highlight: {
      pre_tags: ['@opensearch-dashboards-highlighted-field@'],
      post_tags: ['@/opensearch-dashboards-highlighted-field@'],
      fields: { '*': {} },
      fragment_size: 2_147_483_647,
    },
  };
}

interface PatternField {
  name: string;
  type: string;
  esTypes?: string[];
  searchable: boolean;
  aggregatable: boolean;
  readFromDocValues: boolean;
  subType?: object;
}

const OSD_TYPES: Record<string, string> = {
  keyword: 'string',
  _id: 'string',
  _index: 'string',
  date: 'date',
  _source: '_source',
};
const METADATA = ['_source', '_id', '_type', '_index', '_score'];
const OVERRIDES: Record<string, Partial<PatternField>> = {
  _source: { type: '_source' },
  _score: { type: 'number' },
};

/**
 * The fields that Dashboards finds for itself and would write into an index pattern without any. Ours also say that a
 * column can be filtered by, which it can, though OpenSearch calls only fields with a search tree searchable.
 */
async function fieldsByDashboards(index: string): Promise<PatternField[]> {
  const { body } = await openSearch.fieldCaps({ index, fields: '*' });
  const caps = body.fields as Record<string, Record<string, { searchable: boolean; aggregatable: boolean }>>;
  const names = Object.keys(caps).filter((name) => !name.startsWith('_') && !caps[name]?.object);
  return [...names, ...METADATA].map((name) => {
    const [esType, { searchable, aggregatable }] = Object.entries(caps[name] ?? {})[0] ?? [
      undefined,
      { searchable: false, aggregatable: false },
    ];
    const parent = name.split('.').slice(0, -1).join('.');
    return {
      name,
      type: esType === undefined ? 'string' : (OSD_TYPES[esType] ?? 'number'),
      ...(esType === undefined ? {} : { esTypes: [esType] }),
      searchable: searchable || aggregatable,
      aggregatable,
      readFromDocValues: aggregatable && !name.startsWith('_'),
      ...(parent ? { subType: { multi: { parent } } } : {}),
      ...OVERRIDES[name],
    };
  });
}

describe('Discover', () => {
  const patterns = savedObjects()
    .filter(({ type }) => type === 'index-pattern')
    .map(({ attributes }) => attributes as { title: IndexPattern; timeFieldName: string; fields?: string });

  it.each(patterns)('shows $title', async (pattern) => {
    const fields = await fieldsByDashboards(pattern.title);
    const dates = fields.filter(({ type }) => type === 'date').map(({ name }) => name);
    const body = await search(discoverSearch(pattern, dates), pattern.title);
    expect(body._shards).toMatchObject({ failed: 0 });
    expect(body.hits.hits.length).toBeGreaterThan(0);
    const [{ _source, fields: columns } = {}] = body.hits.hits as { _source?: Json; fields?: Json }[];
    for (const date of dates.filter((name) => _source?.[name] !== undefined)) {
      expect([date, columns?.[date]]).toEqual([date, [_source?.[date]]]);
    }
  });

  it.each(patterns)(
    'opens $title without writing: its fields are those that Dashboards would find',
    async (pattern) => {
      const shipped = JSON.parse(pattern.fields ?? '[]') as (PatternField & Json)[];
      const known = shipped.map(({ count: _count, scripted: _scripted, ...field }) => field);
      const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
      expect(known.sort(byName)).toEqual((await fieldsByDashboards(pattern.title)).sort(byName));
    },
  );
});
