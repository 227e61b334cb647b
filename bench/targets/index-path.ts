import type { MSKEvent } from 'aws-lambda';
import { type Ticker, tickerId } from '../../core/market/ticker.ts';
import { lambdaContext, loadIndexHandler } from '../functions.ts';
import { inStretches, race } from '../race.ts';
import { bulkBodies, documentsOf, inParallel, RawClient } from '../raw-bulk.ts';
import { spreadOf } from '../statistics.ts';
import { inRounds, resultOf, type Target } from '../target.ts';
import { makeTickers, toEvents } from '../tickers.ts';

const DOCUMENTS = 200_000;
const ONE_BY_ONE = 5_000;
const STRETCHES = 8;
/** Two partitions: two concurrent invocations, each sending its event in one request over its own connection. */
const CONNECTIONS = 2;

/**
 * The index path (events of up to 6 MB → handler → searchable), compared with raw `_bulk` of the same documents and with
 * the article's consumer, which sent one document per request.
 */
export const indexPath: Target = async (context) => {
  const { openSearch, urls } = context;
  const tickers = makeTickers(DOCUMENTS);
  const events = inStretches(toEvents(tickers), STRETCHES);
  const bodies = events.map((stretch) =>
    stretch.flatMap((event) => [...bulkBodies(documentsOf(tickersOf(event), 'tickers-raw'))]),
  );
  const single = inStretches(tickers.slice(0, ONE_BY_ONE), STRETCHES);
  const handler = await loadIndexHandler(urls);
  const raw = new RawClient(urls.openSearch, CONNECTIONS);
  const sides = {
    ours: {
      index: 'tickers-2026.*',
      documents: DOCUMENTS,
      bring: (stretch: number) =>
        inParallel(events[stretch] ?? [], CONNECTIONS, (event) => handler(event, lambdaContext())),
    },
    raw: {
      index: 'tickers-raw',
      documents: DOCUMENTS,
      bring: (stretch: number) => raw.bulk(bodies[stretch] ?? []),
    },
    article: {
      index: 'tickers-article',
      documents: ONE_BY_ONE,
      bring: (stretch: number) => articleConsumer(urls.openSearch, 'tickers-article', single[stretch] ?? []),
    },
  };
  const measure = (round: number) => race(openSearch, sides, STRETCHES, round);
  const rates = await inRounds(context, 'index path', measure, describe);
  raw.close();
  const last = rates.at(-1);
  const note = last ? `last round: ${describe(last)}` : '';
  const bound = spreadOf(rates.map((rate) => rate.raw / rate.article)).median.toFixed(1);
  return [
    resultOf(
      'index path / raw _bulk',
      rates.map((rate) => rate.ours / rate.raw),
      { atLeast: 0.95 },
      { unit: '×', note },
    ),
    resultOf(
      'index path / one document a request',
      rates.map((rate) => rate.ours / rate.article),
      { atLeast: 50 },
      { unit: '×', note: `raw _bulk itself: ${bound} ×` },
    ),
  ];
};

const describe = ({ ours, raw, article }: { ours: number; raw: number; article: number }) =>
  `${Math.round(ours)} docs/s, raw ${Math.round(raw)}, one by one ${Math.round(article)}`;

/** As in an event: the same documents go into the same requests. */
const tickersOf = ({ records }: MSKEvent): Ticker[] =>
  Object.values(records)
    .flat()
    .map(({ value }) => JSON.parse(Buffer.from(value, 'base64').toString('utf8')));

/** The article's consumer: one `PUT` per document, one after the other, over one connection. */
async function articleConsumer(url: string, index: string, tickers: readonly Ticker[]): Promise<void> {
  const client = new RawClient(url, 1);
  for (const ticker of tickers) {
    const path = `/${index}/_doc/${encodeURIComponent(tickerId(ticker))}`;
    await client.send('PUT', path, JSON.stringify(ticker), 'application/json');
  }
  client.close();
}
