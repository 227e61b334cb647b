import { randomUUID } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { Client } from '@opensearch-project/opensearch';
import { TICKER_INDICES } from '../../core/market/index-names.ts';
import { createSource } from '../../exchanges/http/ticker-source.ts';
import { createIngestHandler } from '../../lambdas/ingest/ingest-handler.ts';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { startKafkaEventSource } from '../../local/event-sources/kafka-event-source.ts';
import { createKafka } from '../../stores/kafka/client.ts';
import { bybitTicker, serveLinearTickers } from '../exchange.ts';
import { lambdaContext, loadIndexHandler, setEnvironment } from '../functions.ts';
import { serverCpuSeconds } from '../server-cpu.ts';
import type { BenchContext } from '../target.ts';
import { makeTickers } from '../tickers.ts';
import { SERIES_PER_EXCHANGE } from './market.ts';

const SLOTS = 10;
const SLOT_MS = 120_000;
const PARTITIONS = 3;
const SILENT = { info() {}, warn() {}, error() {} };

export interface PollFigures {
  /** From the moment that all sources are polled until a search finds every ticker of the slot, the slowest. */
  slotSeconds: number;
  /** CPU time of the functions and of OpenSearch. */
  slotCpuSecondsPer1000: number;
}

/** Polls all sources at once, slot after slot: exchange → lake → Kafka → OpenSearch. */
export async function measurePolls(
  openSearch: Client,
  urls: BenchContext['urls'],
  sources: number,
  startMs: number,
): Promise<PollFigures> {
  const name = `bench-scale-${randomUUID()}`;
  const index = await loadIndexHandler(urls);
  const tickers = makeTickers(SERIES_PER_EXCHANGE).map((ticker, position) => ({
    ...ticker,
    symbol: `COIN${String(position).padStart(4, '0')}USDT`,
  }));
  const exchange = await serveLinearTickers(tickers.map(bybitTicker));
  const s3 = localS3Client(urls.s3);
  const admin = createKafka('bench', [urls.kafka], SILENT).admin();
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: name, numPartitions: PARTITIONS }], waitForLeaders: true });
  const polls = Array.from({ length: sources }, (_, source) => {
    const config = { name: `source${source}`, exchange: `polled${source}`, api: 'bybit-v5' };
    setEnvironment(urls, name, {
      TICKER_SOURCE: JSON.stringify({ ...config, categories: ['linear'] }),
      TICKER_API_URL: exchange.url,
      EXCHANGE_ADDRESSES: 'any',
      KAFKA_BROKERS: urls.kafka,
      KAFKA_TOPIC: name,
    });
    return createIngestHandler(createSource);
  });
  const events = startKafkaEventSource({
    brokers: [urls.kafka],
    topic: name,
    groupId: name,
    invoke: (event) => index(event, lambdaContext()),
    partialBatchResponse: false,
    bisectOnError: false,
    log: SILENT,
  });
  const one = async (slot: number) => {
    const at = new Date(startMs + slot * SLOT_MS).toISOString();
    const startedMs = performance.now();
    const client = process.cpuUsage();
    const server = await serverCpuSeconds(openSearch);
    await Promise.all(polls.map((poll) => poll({ slot: at }, lambdaContext())));
    await untilFound(openSearch, at, sources * SERIES_PER_EXCHANGE);
    const seconds = (performance.now() - startedMs) / 1_000;
    const { user, system } = process.cpuUsage(client);
    return { seconds, cpuSeconds: (user + system) / 1e6 + (await serverCpuSeconds(openSearch)) - server };
  };
  try {
    await events.waitUntilRunning();
    await one(0);
    let [slowest, cpuSeconds] = [0, 0];
    for (let slot = 1; slot <= SLOTS; slot += 1) {
      const took = await one(slot);
      slowest = Math.max(slowest, took.seconds);
      cpuSeconds += took.cpuSeconds;
    }
    const thousands = (SLOTS * sources * SERIES_PER_EXCHANGE) / 1_000;
    return { slotSeconds: slowest, slotCpuSecondsPer1000: cpuSeconds / thousands };
  } finally {
    await events.stop();
    await admin.disconnect();
    await exchange.close();
    s3.destroy();
  }
}

/** @throws Error if they cannot all be found before the next slot would begin */
async function untilFound(openSearch: Client, slot: string, tickers: number): Promise<void> {
  const endMs = Date.now() + SLOT_MS;
  for (;;) {
    await openSearch.indices.refresh({ index: TICKER_INDICES });
    const { body } = await openSearch.count({ index: TICKER_INDICES, body: { query: { term: { slot } } } });
    if (body.count === tickers) return;
    if (Date.now() > endMs) throw new Error(`${body.count} of ${tickers} tickers of ${slot} were found`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
