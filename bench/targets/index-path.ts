import { Agent, request } from 'node:http';
import { tickerId, tickerIndexOf } from '../../lambdas/domain/ticker.ts';
import { decodeEvent } from '../../lambdas/index/decode.ts';
import { loadIndexHandler } from '../index-handler.ts';
import { lambdaContext } from '../lambda-context.ts';
import { inParallel, RawBulk } from '../raw-bulk.ts';
import { type BenchContext, resultOf, type Target } from '../target.ts';
import { makeTickers, toEvents } from '../tickers.ts';
import { emptyTickers } from '../tickers-index.ts';

const DOCUMENTS = 200_000;
const ONE_BY_ONE = 5_000;
/** Two partitions: two invocations at once, each of which sends its event in one request over its own connection. */
const CONNECTIONS = 2;

/**
 * The index path (events of up to 6 MB → the handler → searchable) against raw `_bulk` of the same documents, and
 * against the article's consumer, which sent one document a request.
 */
export const indexPath: Target = async (context) => {
  const tickers = makeTickers(DOCUMENTS);
  const events = toEvents(tickers);
  const bodies = events.flatMap((event) => bulkBodies(event));
  const handler = await loadIndexHandler(context.urls);
  const ratios: number[] = [];
  const overArticle: number[] = [];
  const rates: { ours: number; raw: number; article: number }[] = [];
  for (let round = 0; round <= context.rounds; round++) {
    const sides = {
      ours: () =>
        timed(context, DOCUMENTS, async () => {
          await inParallel(events, CONNECTIONS, async (event) => {
            await handler(event, lambdaContext());
          });
        }),
      raw: () =>
        timed(context, DOCUMENTS, async () => {
          const raw = new RawBulk(context.urls.openSearch, CONNECTIONS);
          await inParallel(bodies, CONNECTIONS, (body) => raw.send(body));
          raw.close();
        }),
    };
    // Taken in turn, so that neither side always has the warmer node.
    const first = round % 2 === 0 ? 'ours' : 'raw';
    const second = first === 'ours' ? 'raw' : 'ours';
    const rate = { [first]: await sides[first](), [second]: await sides[second]() } as Record<
      'ours' | 'raw',
      number
    >;
    const article = await timed(context, ONE_BY_ONE, () =>
      articleConsumer(context, tickers.slice(0, ONE_BY_ONE)),
    );
    if (round === 0) continue; // warms up
    ratios.push(rate.ours / rate.raw);
    overArticle.push(rate.ours / article);
    rates.push({ ...rate, article });
    context.say(`index path, round ${round}: ${describe({ ...rate, article })}`);
  }
  const last = rates.at(-1);
  const note = last ? `last round: ${describe(last)}` : '';
  return [
    resultOf('index path / raw _bulk', ratios, { atLeast: 0.85 }, { unit: '×', note }),
    resultOf('index path / one document a request', overArticle, { atLeast: 50 }, { unit: '×', note }),
  ];
};

const describe = ({ ours, raw, article }: { ours: number; raw: number; article: number }) =>
  `${Math.round(ours)} docs/s, raw ${Math.round(raw)}, one by one ${Math.round(article)}`;

/** Documents a second until all are searchable, from an empty index. */
async function timed(context: BenchContext, documents: number, work: () => Promise<void>): Promise<number> {
  await emptyTickers(context.openSearch);
  const startedMs = performance.now();
  await work();
  await context.openSearch.indices.refresh({ index: 'tickers-*' });
  const seconds = (performance.now() - startedMs) / 1_000;
  const { body } = await context.openSearch.count({ index: 'tickers-*' });
  if (body.count !== documents) throw new Error(`${body.count} documents are searchable, not ${documents}.`);
  return documents / seconds;
}

/** The bodies that the handler sends for an event, cut at the same size. */
function bulkBodies(event: Parameters<typeof decodeEvent>[0]): Buffer[] {
  const { documents } = decodeEvent(event);
  const bodies: Buffer[] = [];
  let body = '';
  for (const { index, id, source } of documents) {
    const lines = `{"create":{"_index":"${index}","_id":${JSON.stringify(id)}}}\n${source}\n`;
    if (body !== '' && body.length + lines.length > CHUNK_BYTES) {
      bodies.push(Buffer.from(body));
      body = '';
    }
    body += lines;
  }
  bodies.push(Buffer.from(body));
  return bodies;
}

/** The adapter's own limit of one request. */
const CHUNK_BYTES = 5 * 1024 * 1024;

/** The article's consumer: one `PUT` for each document, one after the other, over one connection. */
async function articleConsumer(
  { urls }: BenchContext,
  tickers: ReturnType<typeof makeTickers>,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const ticker of tickers) {
    const path = `/${tickerIndexOf(ticker.slot)}/_doc/${encodeURIComponent(tickerId(ticker))}`;
    await new Promise<void>((resolve, reject) => {
      const outgoing = request(
        new URL(path, urls.openSearch),
        { method: 'PUT', agent, headers: { 'content-type': 'application/json' } },
        (response) => {
          response.resume();
          response.on('end', () =>
            response.statusCode === 201 ? resolve() : reject(new Error(`${response.statusCode}`)),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(ticker));
    });
  }
  agent.destroy();
}
