import { tickerIndexOf } from '../../core/market/index-names.ts';
import { emptyTickers } from '../race.ts';
import { bulkBodies, documentsOf, RawClient } from '../raw-bulk.ts';
import { type BenchContext, resultOf, type Target } from '../target.ts';
import { makeTickers } from '../tickers.ts';

const DOCUMENTS = 100_000;
/** The article let OpenSearch guess: floats, and text with a keyword sub-field. */
const ARTICLE_INDEX = 'bench-article';

/** Bytes per ticker on disk after a force-merge, compared with the article's dynamic mapping. */
export const indexSize: Target = async (context) => {
  const runs: number[] = [];
  let note = '';
  for (let round = 1; round <= context.rounds; round++) {
    const tickers = makeTickers(DOCUMENTS, round);
    const month = tickerIndexOf(tickers[0]?.slot ?? '');
    await emptyTickers(context.openSearch);
    const ours = await bytesOnDisk(context, month, tickers);
    const article = await bytesOnDisk(context, ARTICLE_INDEX, tickers);
    await context.openSearch.indices.delete({ index: ARTICLE_INDEX });
    runs.push(ours / article);
    note = `${(ours / DOCUMENTS).toFixed(0)} bytes a ticker, dynamic mapping ${(article / DOCUMENTS).toFixed(0)}`;
    context.say(`index size, round ${round}: ${note}`);
  }
  return [resultOf('index size / dynamic mapping', runs, { atMost: 0.6 }, { unit: '×', note })];
};

async function bytesOnDisk(
  { openSearch, urls }: BenchContext,
  index: string,
  tickers: ReturnType<typeof makeTickers>,
): Promise<number> {
  const raw = new RawClient(urls.openSearch, 1);
  await raw.bulk(bulkBodies(documentsOf(tickers, index)));
  raw.close();
  await openSearch.indices.forcemerge({ index, max_num_segments: 1 }, { requestTimeout: 120_000 });
  await openSearch.indices.refresh({ index });
  const { body } = await openSearch.indices.stats({ index, metric: 'store' });
  return body.indices?.[index]?.primaries?.store?.size_in_bytes ?? Number.NaN;
}
