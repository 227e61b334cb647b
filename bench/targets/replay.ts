import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { Ticker } from '../../core/market/ticker.ts';
import type { Slice } from '../../core/operate/operation.ts';
import type { ReplayOutput } from '../../core/operate/replay.ts';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { bulkBodies } from '../bulk-bodies.ts';
import { commonEnvironment } from '../index-handler.ts';
import { lambdaContext } from '../lambda-context.ts';
import { inStretches, race } from '../race.ts';
import { inParallel, RawBulk } from '../raw-bulk.ts';
import { type BenchContext, resultOf, type Target } from '../target.ts';
import { makeTickers } from '../tickers.ts';

const DOCUMENTS = 200_000;
const BUCKET = 'bench-replay';
const STRETCHES = 8;
const CONNECTIONS = 2;

/** `replay --direct` (lake → operate handler → searchable), compared with raw `_bulk` of the same documents. */
export const replay: Target = async (context) => {
  const { openSearch, urls, rounds, say } = context;
  const tickers = makeTickers(DOCUMENTS);
  await fillLake(context, tickers);
  const operate = await loadOperate(urls);
  const polls = inStretches([...Map.groupBy(tickers, ({ slot }) => slot)], STRETCHES);
  const bodies = polls.map((stretch) =>
    bulkBodies(
      stretch.flatMap(([, ofSlot]) => ofSlot),
      'tickers-raw',
    ),
  );
  const raw = new RawBulk(urls.openSearch, CONNECTIONS);
  const sides = {
    ours: {
      index: 'tickers-2026.*',
      documents: DOCUMENTS,
      bring: (stretch: number) => replayAll(operate, polls[stretch]?.[0]?.[0], polls[stretch + 1]?.[0]?.[0]),
    },
    raw: {
      index: 'tickers-raw',
      documents: DOCUMENTS,
      bring: (stretch: number) => inParallel(bodies[stretch] ?? [], CONNECTIONS, (body) => raw.send(body)),
    },
  };
  const ratios: number[] = [];
  let note = '';
  for (let round = 0; round <= rounds; round++) {
    const rate = await race(openSearch, sides, STRETCHES, round);
    note = `${Math.round(rate.ours)} docs/s, raw ${Math.round(rate.raw)}`;
    say(`replay, round ${round}: ${note}`);
    if (round > 0) ratios.push(rate.ours / rate.raw); // the first is for warm-up
  }
  raw.close();
  return [
    resultOf(
      'replay --direct / raw _bulk',
      ratios,
      { atLeast: 0.75 },
      { unit: '×', note: `last round: ${note}` },
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
  Object.assign(process.env, commonEnvironment(urls, BUCKET), {
    KAFKA_BROKERS: urls.kafka,
    KAFKA_TOPIC: 'bench-replay',
    CONSUMER_GROUP: 'bench',
  });
  return (await import('../../lambdas/operate/handler.ts')).handler;
}

/** Slice by slice, like the command line. */
async function replayAll(operate: Operate, from?: string, to?: string): Promise<void> {
  let slice: Slice<ReplayOutput> | undefined;
  do {
    const event = { operation: 'replay', input: { direct: true, from, to }, cursor: slice?.cursor };
    slice = (await operate(event, lambdaContext())) as Slice<ReplayOutput>;
    if (slice.output.problems.length > 0) throw new Error(slice.output.problems[0]);
  } while (slice.cursor !== undefined);
}
