import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CompressionTypes } from 'kafkajs';
import { formatSeries } from '../../core/market/series.ts';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { createKafka } from '../../stores/kafka/client.ts';
import { commonEnvironment } from '../index-handler.ts';
import { lambdaContext } from '../lambda-context.ts';
import { resultOf, type Target } from '../target.ts';
import { makeTickers } from '../tickers.ts';

const TICKERS = 1_500;
const BUCKET = 'bench-ingest';
const TOPIC = 'bench-ingest';
const POLLS_A_ROUND = 5;

const SILENT = { info() {}, warn() {}, error() {} };

/** A poll of 1,500 tickers (fetch → lake → topic acknowledged), compared with a bare PUT and produce of the same bytes. */
export const ingest: Target = async ({ urls, rounds, say }) => {
  const tickers = makeTickers(TICKERS).map((ticker, position) => ({
    ...ticker,
    symbol: `COIN${position}USDT`,
  }));
  const listed = tickers.map((ticker) => ({
    symbol: ticker.symbol,
    lastPrice: String(ticker.last_price),
    bid1Price: String(ticker.bid_price),
    ask1Price: String(ticker.ask_price),
    bid1Size: String(ticker.bid_size),
    ask1Size: String(ticker.ask_size),
    indexPrice: String(ticker.index_price),
    markPrice: String(ticker.mark_price),
    prevPrice1h: String(ticker.prev_price_1h),
    prevPrice24h: String(ticker.prev_price_24h),
    highPrice24h: String(ticker.high_price_24h),
    lowPrice24h: String(ticker.low_price_24h),
    price24hPcnt: String(ticker.price_24h_pcnt),
    volume24h: String(ticker.volume_24h),
    turnover24h: String(ticker.turnover_24h),
    openInterest: String(ticker.open_interest),
    openInterestValue: String(ticker.open_value),
    fundingRate: String(ticker.funding_rate),
    fundingIntervalHour: '8',
    fundingCap: '0.005',
  }));
  const answer = Buffer.from(
    JSON.stringify({
      retCode: 0,
      retMsg: 'OK',
      result: { category: 'linear', list: listed },
      retExtInfo: {},
      time: tickers[0] ? Date.parse(tickers[0].slot) : 0,
    }),
  );
  const exchange = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  }).listen(0, '127.0.0.1');
  await once(exchange, 'listening');

  const s3 = localS3Client(urls.s3);
  const kafka = createKafka('bench', [urls.kafka], SILENT);
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  try {
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 3 }], waitForLeaders: true });
    await producer.connect();
    Object.assign(process.env, commonEnvironment(urls, BUCKET), {
      TICKER_SOURCE: JSON.stringify({
        name: 'bench',
        exchange: 'bench',
        api: 'bybit-v5',
        categories: ['linear'],
      }),
      TICKER_API_URL: `http://127.0.0.1:${(exchange.address() as AddressInfo).port}`,
      KAFKA_BROKERS: urls.kafka,
      KAFKA_TOPIC: TOPIC,
    });
    const { handler } = await import('../../lambdas/ingest/handler.ts');
    const lines = tickers.map((ticker) => JSON.stringify(ticker));
    const compress = promisify(gzip);
    let slotMs = Date.parse('2026-01-01T00:00:00Z');
    const poll = async () => {
      slotMs += 60_000;
      await handler({ slot: new Date(slotMs).toISOString() }, lambdaContext());
    };
    const bare = async () => {
      slotMs += 60_000;
      const Body = await compress(`${lines.join('\n')}\n`);
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `bare/${slotMs}.ndjson.gz`, Body }));
      const messages = lines.map((value, position) => ({
        key: formatSeries(tickers[position] as never),
        value,
      }));
      const middle = Math.ceil(messages.length / 2); // two requests: a broker accepts 1 MiB per batch
      for (const part of [messages.slice(0, middle), messages.slice(middle)]) {
        await producer.send({ topic: TOPIC, acks: -1, compression: CompressionTypes.GZIP, messages: part });
      }
    };
    const runs: number[] = [];
    let note = '';
    for (let round = 0; round <= rounds; round++) {
      const took = { poll: 0, bare: 0 };
      for (let turn = 0; turn < POLLS_A_ROUND; turn++) {
        took.poll += await msOf(poll);
        took.bare += await msOf(bare);
      }
      if (round === 0) continue; // warm-up
      runs.push(took.poll / took.bare);
      note = `${(took.poll / POLLS_A_ROUND).toFixed(0)} ms a poll, bare ${(took.bare / POLLS_A_ROUND).toFixed(0)} ms`;
      say(`ingest, round ${round}: ${note}`);
    }
    return [resultOf('ingest / PUT + produce', runs, { atMost: 1.5 }, { unit: '×', note })];
  } finally {
    exchange.closeAllConnections();
    exchange.close();
    await producer.disconnect();
    await admin.disconnect();
    s3.destroy();
  }
};

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
