import { expect, it } from 'vitest';
import { answerPicture, type ReportStore, seriesChoices } from '../../../charts/report-data.ts';

const NOW_MS = Date.parse('2026-01-08T00:00:00Z');
const SERIES = Array.from({ length: 3_000 }, (_, index) => ({
  exchange: 'bybit',
  category: 'spot',
  symbol: `COIN${index}USDT`,
}));

interface Composite {
  size: number;
  after?: { symbol: string };
}

/** Answers composite aggregations in pages, as OpenSearch does. */
const paged: ReportStore = {
  insights: {} as ReportStore['insights'],
  samplingIntervals: {},
  async search(_, body) {
    const [[name, { composite }]] = Object.entries(
      (body as { aggs: Record<string, { composite: Composite }> }).aggs,
    ) as [[string, { composite: Composite }]];
    const from = 1 + SERIES.findIndex(({ symbol }) => symbol === composite.after?.symbol);
    const page = SERIES.slice(from, from + composite.size);
    const buckets = page.map((key) => ({ key, newest: { hits: { hits: [] } } }));
    const last = page.at(-1);
    return { aggregations: { [name]: { buckets, ...(last ? { after_key: last } : {}) } } };
  },
};

it('a ranking on the page is of all series, however many pages they come in', async () => {
  const { rows } = await answerPicture(paged, { picture: 'volatility-ranking' }, NOW_MS);
  expect(rows.series).toHaveLength(3_000);
});

it('every series can be picked', async () => {
  expect(await seriesChoices(paged, NOW_MS)).toHaveLength(3_000);
});
