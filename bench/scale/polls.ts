import type { Client } from '@opensearch-project/opensearch';
import { TICKER_INDICES } from '../../core/market/index-names.ts';
import { lambdaContext, loadIndexHandler } from '../functions.ts';
import { inParallel } from '../raw-bulk.ts';
import { serverCpuSeconds } from '../server-cpu.ts';
import { toEvents } from '../tickers.ts';
import { type GeneratedSeries, tickerAt } from './market.ts';

/** As many batches as partitions are indexed at the same time. */
const PARTITIONS = 3;
const SLOTS = 10;
const SLOT_MS = 120_000;

export interface PollFigures {
  /** From the moment that one slot's tickers of all sources are there until a search finds all of them, the slowest. */
  slotSeconds: number;
  /** CPU time of the function and of OpenSearch. */
  slotCpuSecondsPer1000: number;
}

/** Indexes slot after slot of all series, as it happens when every source is polled at the same time. */
export async function measurePolls(
  openSearch: Client,
  urls: { openSearch: string; s3: string },
  series: readonly GeneratedSeries[],
  startMs: number,
): Promise<PollFigures> {
  const index = await loadIndexHandler(urls);
  const one = async (slot: number) => {
    const slotMs = startMs + slot * SLOT_MS;
    const events = toEvents(series.map((each, position) => tickerAt(each, position, slotMs)));
    const startedMs = performance.now();
    const client = process.cpuUsage();
    const server = await serverCpuSeconds(openSearch);
    await inParallel(events, PARTITIONS, (event) => index(event, lambdaContext()));
    const { user, system } = process.cpuUsage(client);
    await openSearch.indices.refresh({ index: TICKER_INDICES });
    const seconds = (performance.now() - startedMs) / 1_000;
    const query = { term: { slot: new Date(slotMs).toISOString() } };
    const { body } = await openSearch.count({ index: TICKER_INDICES, body: { query } });
    if (body.count !== series.length) throw new Error(`${body.count} of ${series.length} tickers of a slot`);
    return { seconds, cpuSeconds: (user + system) / 1e6 + (await serverCpuSeconds(openSearch)) - server };
  };
  await one(0);
  let [slowest, cpuSeconds] = [0, 0];
  for (let slot = 1; slot <= SLOTS; slot += 1) {
    const took = await one(slot);
    slowest = Math.max(slowest, took.seconds);
    cpuSeconds += took.cpuSeconds;
  }
  return { slotSeconds: slowest, slotCpuSecondsPer1000: (cpuSeconds / SLOTS / series.length) * 1_000 };
}
