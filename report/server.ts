import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerPicture, seriesSummary } from '../charts/report-data.ts';
import type { ReportStore } from '../charts/report-store.ts';
import { choicesFor, pickable, rememberedChoices, seriesChoices } from '../charts/series-choices.ts';
import { PAGE_WINDOWS, type PageWindow } from '../charts/windows.ts';
import { TICKER_INDICES } from '../core/market/index-names.ts';
import { InvalidInputError } from '../core/market/invalid-input.ts';
import type { SamplingIntervals } from '../core/market/sampling.ts';
import { LOOPBACK, send, sendJson, serveOnLoopback } from '../core/runtime/loopback-server.ts';
import { createOpenSearch } from '../stores/opensearch/client.ts';
import { OpenSearchSeries } from '../stores/opensearch/insights/series.ts';
import { OpenSearchSearch } from '../stores/opensearch/search.ts';
import { pageHtml } from './html.ts';
import type { Choices, Failure, Pulse } from './protocol.ts';

export interface ReportServerOptions {
  openSearchUrl: string;
  /** The pipeline's clock: the replay's or the real one. Read at each request. */
  now: () => Date;
  /** Of exchanges that are not polled every two minutes. @default none */
  samplingIntervals?: SamplingIntervals;
  /** @default a free port */
  port?: number | undefined;
}

export interface ReportServer {
  /** `http://127.0.0.1:<port>/`, to be opened in a browser. */
  readonly url: string;
  /** Stops listening and drops open connections. May be called again. */
  close(): Promise<void>;
}

/** How long a request waits for a busy OpenSearch. */
const TIMEOUT_MS = 10_000;

type Answer = (query: URLSearchParams, store: ReportStore, asOfMs: number) => Promise<object>;

/**
 * Serves the report page and its live numbers on 127.0.0.1.
 * @throws the `EADDRINUSE` error of `node:net` if the requested port is taken
 */
export async function startReportServer({
  openSearchUrl,
  now,
  samplingIntervals = {},
  port = 0,
}: ReportServerOptions): Promise<ReportServer> {
  const client = createOpenSearch(openSearchUrl);
  const choices = rememberedChoices((asOfMs) => seriesChoices(storeNow(), asOfMs));
  const storeNow = (): ReportStore => {
    const search = new OpenSearchSearch(client, Date.now() + TIMEOUT_MS);
    return {
      search: (index, body) => search.search(index, body),
      insights: new OpenSearchSeries(search),
      choices,
      samplingIntervals,
    };
  };
  const server = await serveOnLoopback((request, response) => {
    respond(request, response, storeNow(), now().getTime()).catch((error: Error) => {
      const isQuestion = error instanceof InvalidInputError;
      const message = isQuestion ? error.message : `OpenSearch did not answer: ${error.message}`;
      sendJson(response, isQuestion ? 400 : 503, { message } satisfies Failure);
    });
  }, port);
  return {
    url: `${server.url}/`,
    async close() {
      await server.close();
      await client.close();
    },
  };
}

const ANSWERS: Record<string, Answer> = {
  '/api/pulse': async (_, store, asOfMs) => {
    const { aggregations } = await store.search(TICKER_INDICES, {
      size: 0,
      aggs: { newest: { max: { field: 'slot' } }, ticks: { value_count: { field: 'slot' } } },
    });
    const { newest, ticks } = (aggregations ?? {}) as Record<string, { value: number | null } | undefined>;
    return {
      asOfMs,
      ticks: ticks?.value ?? 0,
      ...(newest?.value ? { newestSlotMs: newest.value } : {}),
    } satisfies Pulse;
  },
  '/api/choices': async (query, store, asOfMs) =>
    ({
      asOfMs,
      ...choicesFor(await pickable(store, asOfMs), query.get('search') ?? '', query.get('picked')),
    }) satisfies Choices,
  '/api/summary': (query, store, asOfMs) => seriesSummary(store, query.get('series') ?? '', asOfMs),
  '/api/picture': (query, store, asOfMs) => {
    const window = query.get('window') ?? undefined;
    if (window !== undefined && !(PAGE_WINDOWS as readonly string[]).includes(window)) {
      throw new InvalidInputError(
        `There is no window "${window}". Choose one of ${PAGE_WINDOWS.join(', ')}.`,
      );
    }
    const question = {
      picture: query.get('picture') ?? '',
      series: query.get('series') ?? undefined,
      window: window as PageWindow | undefined,
    };
    return answerPicture(store, question, asOfMs);
  },
};

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  store: ReportStore,
  asOfMs: number,
): Promise<void> {
  if (request.method !== 'GET')
    return sendJson(response, 405, { message: 'The report server accepts GET requests only.' });
  const url = new URL(request.url ?? '/', `http://${LOOPBACK}`);
  if (url.pathname === '/') {
    return send(response, 200, 'text/html', await pageHtml({ kind: 'live', origin: 'this machine' }));
  }
  const answer = ANSWERS[url.pathname];
  if (!answer) return sendJson(response, 404, { message: `There is no ${url.pathname}.` });
  sendJson(response, 200, await answer(url.searchParams, store, asOfMs));
}
