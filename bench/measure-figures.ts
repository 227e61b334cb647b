/*
 * Measures the inputs of the scale model (per ticker, candle and hour) on real local engines and prints them as JSON:
 * `npx node bench/measure-figures.ts`. Copy them into scale/figures.json, with the date.
 */

import { readdirSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@opensearch-project/opensearch';
import { packLines } from '../core/lake/ndjson.ts';
import { CANDLE_INDICES, MOVES_INDEX, TICKER_INDICES } from '../core/market/index-names.ts';
import { formatSeries } from '../core/market/series.ts';
import type { Ticker } from '../core/market/ticker.ts';
import { HOUR_MS } from '../core/market/time.ts';
import { createKafka } from '../stores/kafka/client.ts';
import { KafkaStream } from '../stores/kafka/stream.ts';
import { startBenchEngines } from './engines.ts';
import { lambdaContext, loadIndexHandler } from './functions.ts';
import { serverCpuSeconds } from './server-cpu.ts';
import { makeTickers, toEvents } from './tickers.ts';

/** As in `makeTickers`: one ticker per series every two minutes. */
const SERIES = 600;
const AN_HOUR = SERIES * 30;
/** Summarise looks back 48 hours; the last of these hours is measured. */
const HOURS = 50;
const TOPIC = 'measure';

interface Took {
  seconds: number;
  cpuSeconds: number;
}

async function took(work: () => Promise<unknown>): Promise<Took> {
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(startedCpu);
  return { seconds: (performance.now() - startedMs) / 1_000, cpuSeconds: (user + system) / 1e6 };
}

/** Bytes per document, primary shards only. */
async function documentBytes(openSearch: Client, index: string): Promise<number> {
  await openSearch.indices.refresh({ index });
  const { body } = await openSearch.indices.stats({ index });
  const { store, docs } = body._all?.primaries ?? {};
  return (store?.size_in_bytes ?? Number.NaN) / (docs?.count ?? Number.NaN);
}

/** An hour of tickers, different for every hour. */
function tickersOfHour(hour: number): Ticker[] {
  const shifted = (time: string) => new Date(Date.parse(time) + hour * HOUR_MS).toISOString();
  return makeTickers(AN_HOUR, hour + 1).map((ticker) => ({
    ...ticker,
    slot: shifted(ticker.slot),
    timestamp: shifted(ticker.timestamp),
    received_at: shifted(ticker.received_at),
  }));
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function lakeBytes(lines: readonly string[]): Promise<number> {
  const objects: number[] = [];
  for (let start = 0; start < lines.length; start += SERIES) {
    objects.push((await packLines(lines.slice(start, start + SERIES))).length);
  }
  return mean(objects) / SERIES;
}

/** Bytes per record in the topic's segments. */
async function topicBytes(url: string, folder: string, tickers: readonly Ticker[]): Promise<number> {
  const kafka = createKafka('measure', [url], { info() {}, warn() {}, error() {} });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 3 }], waitForLeaders: true });
  await admin.disconnect();
  const stream = new KafkaStream(kafka, TOPIC);
  for (let start = 0; start < tickers.length; start += SERIES) {
    const records = tickers
      .slice(start, start + SERIES)
      .map((ticker) => ({ key: formatSeries(ticker), value: JSON.stringify(ticker) }));
    await stream.produce(records, Date.now() + 20_000);
  }
  const segments = readdirSync(join(folder, 'data', 'kafka'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.includes(`${TOPIC}-`) && path.endsWith('.log'),
  );
  const bytes = segments.map((path) => statSync(join(folder, 'data', 'kafka', path)).size);
  return bytes.reduce((sum, each) => sum + each, 0) / tickers.length;
}

const engines = await startBenchEngines();
try {
  const { openSearch, urls, folder } = engines;
  const tickers = tickersOfHour(0);
  const lines = tickers.map((ticker) => JSON.stringify(ticker));
  const events = toEvents(tickers);

  Object.assign(process.env, {
    STAGE: 'measure',
    MOVE_THRESHOLDS: '0.01,0.02,0.05,0.1',
    TICK_RETENTION_DAYS: 'never',
  });
  const index = await loadIndexHandler(urls);
  const { handler: summarise } = await import('../lambdas/summarise/handler.ts');
  let indexing: Took = { seconds: 0, cpuSeconds: 0 };
  let server = 0;
  let summarising: Took = { seconds: 0, cpuSeconds: 0 };
  for (let hour = 0; hour < HOURS; hour++) {
    const serverBefore = await serverCpuSeconds(openSearch);
    const batches = toEvents(tickersOfHour(hour));
    indexing = await took(async () => {
      for (const batch of batches) await index(batch, lambdaContext());
    });
    await openSearch.indices.refresh({ index: TICKER_INDICES });
    server = (await serverCpuSeconds(openSearch)) - serverBefore;
    const now = new Date(Date.parse(tickers[0]?.slot ?? '') + (hour + 1) * HOUR_MS).toISOString();
    summarising = await took(() => summarise({ now }, lambdaContext()));
  }
  const unmergedBytes = await documentBytes(openSearch, TICKER_INDICES);
  await openSearch.indices.forcemerge(
    { index: TICKER_INDICES, max_num_segments: 1 },
    { requestTimeout: 120_000 },
  );
  const per100k = (seconds: number) => (seconds / AN_HOUR) * 100_000;
  const per1000 = (seconds: number) => (seconds / SERIES) * 1_000;
  const figures = {
    jsonBytes: mean(lines.map((line) => line.length)),
    lakeBytes: await lakeBytes(lines),
    topicBytes: await topicBytes(urls.kafka, folder, tickers),
    eventBytes: mean(events.map((event) => JSON.stringify(event).length / (AN_HOUR / events.length))),
    tickerIndexBytes: unmergedBytes,
    tickerIndexMergedBytes: await documentBytes(openSearch, TICKER_INDICES),
    candleIndexBytes: await documentBytes(openSearch, CANDLE_INDICES),
    moveIndexBytes: await documentBytes(openSearch, MOVES_INDEX),
    indexSecondsPer100k: per100k(indexing.seconds),
    indexCpuSecondsPer100k: per100k(indexing.cpuSeconds),
    openSearchCpuSecondsPer100k: per100k(server),
    summariseSecondsPer1000Series: per1000(summarising.seconds),
    summariseCpuSecondsPer1000Series: per1000(summarising.cpuSeconds),
  };
  process.stdout.write(
    `${JSON.stringify({ figures, cpu: cpus()[0]?.model, cores: cpus().length }, null, 2)}\n`,
  );
} finally {
  await engines.stop();
}
process.exit();
