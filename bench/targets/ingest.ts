import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CompressionTypes } from 'kafkajs';
import { formatSeries } from '../../core/market/series.ts';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { createKafka } from '../../stores/kafka/client.ts';
import { bybitTicker, serveLinearTickers } from '../exchange.ts';
import { lambdaContext, setEnvironment } from '../functions.ts';
import { inRounds, resultOf, type Target } from '../target.ts';
import { makeTickers } from '../tickers.ts';

const TICKERS = 1_500;
const BUCKET = 'bench-ingest';
const TOPIC = 'bench-ingest';
const POLLS_A_ROUND = 5;

const SILENT = { info() {}, warn() {}, error() {} };

/** A poll of 1,500 tickers (fetch → lake → topic acknowledged), compared with a bare PUT and produce of the same bytes. */
export const ingest: Target = async (context) => {
  const { urls } = context;
  const tickers = makeTickers(TICKERS).map((ticker, position) => ({
    ...ticker,
    symbol: `COIN${position}USDT`,
  }));
  const exchange = await serveLinearTickers(tickers.map(bybitTicker));
  const s3 = localS3Client(urls.s3);
  const kafka = createKafka('bench', [urls.kafka], SILENT);
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  try {
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 3 }], waitForLeaders: true });
    await producer.connect();
    const source = { name: 'bench', exchange: 'bench', api: 'bybit-v5', categories: ['linear'] };
    setEnvironment(urls, BUCKET, {
      TICKER_SOURCE: JSON.stringify(source),
      TICKER_API_URL: exchange.url,
      EXCHANGE_ADDRESSES: 'any',
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
    const measure = async () => {
      const took = { poll: 0, bare: 0 };
      for (let turn = 0; turn < POLLS_A_ROUND; turn++) {
        took.poll += (await msOf(poll)) / POLLS_A_ROUND;
        took.bare += (await msOf(bare)) / POLLS_A_ROUND;
      }
      return took;
    };
    const describe = (took: { poll: number; bare: number }) =>
      `${took.poll.toFixed(0)} ms a poll, bare ${took.bare.toFixed(0)} ms`;
    const rounds = await inRounds(context, 'ingest', measure, describe);
    const ratios = rounds.map((took) => took.poll / took.bare);
    const note = `${rounds.slice(-1).map(describe)}`;
    return [resultOf('ingest / PUT + produce', ratios, { atMost: 1.5 }, { unit: '×', note })];
  } finally {
    await exchange.close();
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
