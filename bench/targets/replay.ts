import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { Ticker } from '../../core/market/ticker.ts';
import { HOUR_MS, hourOf } from '../../core/market/time.ts';
import type { Slice } from '../../core/operate/operation.ts';
import type { RebuildOutput } from '../../core/operate/rebuild.ts';
import type { ReplayOutput } from '../../core/operate/replay.ts';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { lambdaContext, setEnvironment } from '../functions.ts';
import { inStretches, race } from '../race.ts';
import { bulkBodies, documentsOf, RawClient } from '../raw-bulk.ts';
import { type BenchContext, inRounds, resultOf, type Target } from '../target.ts';
import { makeTickers } from '../tickers.ts';

const DOCUMENTS = 200_000;
const BUCKET = 'bench-replay';
const STRETCHES = 8;
const CONNECTIONS = 2;

/**
 * `replay --direct` (lake → operate handler → searchable), compared with raw `_bulk` of the same documents; then `rebuild`
 * (lake → candles and moves). Together they restore a lost OpenSearch.
 */
export const replay: Target = async (context) => {
  const { openSearch, urls } = context;
  const tickers = makeTickers(DOCUMENTS);
  await fillLake(context, tickers);
  const operate = await loadOperate(urls);
  const lastSlot = tickers.at(-1)?.slot ?? '';
  const polls = inStretches([...Map.groupBy(tickers, ({ slot }) => slot)], STRETCHES);
  const bodies = polls.map((stretch) => {
    const documents = stretch.flatMap(([, ofSlot]) => documentsOf(ofSlot, 'tickers-raw'));
    return [...bulkBodies(documents)];
  });
  const raw = new RawClient(urls.openSearch, CONNECTIONS);
  const sides = {
    ours: {
      index: 'tickers-2026.*',
      documents: DOCUMENTS,
      bring: (stretch: number) => replayAll(operate, polls[stretch]?.[0]?.[0], polls[stretch + 1]?.[0]?.[0]),
    },
    raw: {
      index: 'tickers-raw',
      documents: DOCUMENTS,
      bring: (stretch: number) => raw.bulk(bodies[stretch] ?? []),
    },
  };
  const measure = (round: number) => race(openSearch, sides, STRETCHES, round);
  const describe = (rate: { ours: number; raw: number }) =>
    `${Math.round(rate.ours)} docs/s, raw ${Math.round(rate.raw)}`;
  const rates = await inRounds(context, 'replay', measure, describe);
  raw.close();
  const ratios = rates.map(({ ours, raw }) => ours / raw);
  const note = `last round: ${rates.slice(-1).map(describe)}`;
  const millions = DOCUMENTS / 1_000_000;
  const rebuilt = await secondsOf(() => runAll(operate, 'rebuild', { to: hourAfter(lastSlot) }));
  const perMillion = Math.round(rebuilt / millions);
  const replayed = Math.round(1_000_000 / (rates.at(-1)?.ours ?? 1));
  return [
    resultOf('replay --direct / raw _bulk', ratios, { atLeast: 0.75 }, { unit: '×', note }),
    resultOf(
      'rebuild of a million tickers',
      [perMillion],
      { atMost: 300 },
      {
        unit: 's',
        note: `candles and moves of ${DOCUMENTS} tickers in ${rebuilt.toFixed(1)} s; replay --direct ${replayed} s a million`,
      },
    ),
  ];
};

/** One object per poll, as ingest stores them. */
async function fillLake({ urls }: BenchContext, tickers: readonly Ticker[]): Promise<void> {
  const s3 = localS3Client(urls.s3);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const lake = new S3Lake(s3, BUCKET);
  for (const [slot, ofSlot] of Map.groupBy(tickers, (ticker) => ticker.slot)) {
    const lines = ofSlot.map((ticker) => JSON.stringify(ticker));
    await lake.putTickers({ exchange: 'bench', category: 'linear', slotMs: Date.parse(slot) }, lines);
  }
  s3.destroy();
}

type Operate = typeof import('../../lambdas/operate/handler.ts')['handler'];

async function loadOperate(urls: BenchContext['urls']): Promise<Operate> {
  setEnvironment(urls, BUCKET, {
    EXCHANGE_ADDRESSES: 'any',
    KAFKA_BROKERS: urls.kafka,
    KAFKA_TOPIC: 'bench-replay',
    CONSUMER_GROUP: 'bench',
  });
  return (await import('../../lambdas/operate/handler.ts')).handler;
}

const replayAll = (operate: Operate, from?: string, to?: string) =>
  runAll(operate, 'replay', { direct: true, from, to });

/** Slice by slice, like the command line. */
async function runAll(operate: Operate, operation: 'replay' | 'rebuild', input: object): Promise<void> {
  let slice: Slice<ReplayOutput | RebuildOutput> | undefined;
  do {
    const event = { operation, input, cursor: slice?.cursor };
    slice = (await operate(event, lambdaContext())) as Slice<ReplayOutput | RebuildOutput>;
    if (slice.output.problems.length > 0) throw new Error(slice.output.problems[0]);
  } while (slice.cursor !== undefined);
}

const hourAfter = (slot: string) => new Date(hourOf(Date.parse(slot)) + HOUR_MS).toISOString();

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const begunMs = performance.now();
  await work();
  return (performance.now() - begunMs) / 1_000;
}
