import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { columnKey, manifestKey } from '../../core/columns/objects.ts';
import type { QuestionInput } from '../../core/insights/question.ts';
import type { Ticker } from '../../core/market/ticker.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/market/time.ts';
import type { Check } from '../../core/operate/doctor/check.ts';
import { OPERATIONS } from '../../core/operate/operations.ts';
import { toMskEvent } from '../../local/event-sources/batch.ts';
import { invocationRecord } from '../../local/event-sources/invocation-record.ts';
import { S3DeadLetters } from '../../stores/s3/dead-letters.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { mskRecord } from '../samples/msk-events.ts';
import { sampleTicker } from '../samples/tickers.ts';
import { refusalsOf } from './secure-kafka/broker.ts';
import type { Stage } from './stage.ts';

const today = new Date();
/** The turn of a month, older than the stage keeps ticks. */
const TURN_MS = Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - 3, 1);
const FROM_MS = TURN_MS - 36 * HOUR_MS;
const TO_MS = TURN_MS + 36 * HOUR_MS;
const iso = (ms: number) => new Date(ms).toISOString();
/** `2026.03` */
const monthOf = (ms: number) => iso(ms).slice(0, 7).replace('-', '.');
const MONTHS = [monthOf(FROM_MS), monthOf(TO_MS)];
const [from, to] = [iso(FROM_MS), iso(TO_MS)];
const market = { exchange: 'bybit', category: 'spot' } as const;
const SYMBOLS = ['AUSDT', 'BUSDT'];

function tickersAt(slotMs: number): Ticker[] {
  return SYMBOLS.map((symbol, position) =>
    sampleTicker({
      ...market,
      symbol,
      base: symbol.slice(0, 1),
      slot: iso(slotMs),
      timestamp: iso(slotMs),
      last_price: 100 + position + 10 * Math.sin(slotMs / HOUR_MS + position),
    }),
  );
}

const SLOTS = Array.from({ length: 12 }, (_, position) => FROM_MS + position * 6 * HOUR_MS);

const ORIGIN = { eventSourceArn: 'arn:aws:kafka:us-east-1:0:cluster/test/1', bootstrapServers: 'test:9092' };
const recordsOf = (values: (Ticker | string)[]) =>
  values.map((value, offset) => mskRecord(value, { offset }));

const QUESTIONS: QuestionInput[] = [
  { question: 'average', symbol: 'AUSDT', from, to },
  { question: 'moves', symbol: 'AUSDT', horizons: ['1h'], from, to },
  { question: 'percentiles', symbol: 'AUSDT', from, to },
  { question: 'percentiles', from, to },
  { question: 'volatile', from, to },
  { question: 'compare', symbols: SYMBOLS, from, to },
  { question: 'drawdown', symbol: 'AUSDT', from, to },
  { question: 'returns', symbol: 'AUSDT', by: 'day', from, to },
  { question: 'correlate', symbols: SYMBOLS, from, to },
  { question: 'profile', symbol: 'AUSDT', from, to },
  { question: 'series' },
];

/** The input of each operation. */
const INPUTS: Record<string, object> = {
  verify: { from, to, patienceMs: 0 },
  replay: { from, to },
  redrive: {},
  heal: {},
  doctor: {},
  summarise: { now: to },
  rebuild: { from, to },
  backfill: {
    kind: 'rows',
    ...market,
    hours: 1,
    series: [{ symbol: 'OLDUSDT', rows: [[FROM_MS - 48 * HOUR_MS, 1, 2, 1, 2, null]] }],
    makeMoves: true,
    run: 'a-run',
  },
  undo: { run: 'a-run' },
  gaps: { from, to },
  reindex: { months: MONTHS.slice(0, 1) },
};

/**
 * Everything that the functions do with OpenSearch and the lake, each signed in as its own role; then what
 * the roles must not do.
 */
export function everyRole(stage: () => Stage): void {
  /** A command to its end. */
  async function operate<Output>(operation: string, input = INPUTS[operation]): Promise<Output[]> {
    const outputs: Output[] = [];
    let cursor: unknown;
    do {
      const event = { operation, input, cursor };
      const slice = (await stage().invoke('operate', event)) as { output: Output; cursor?: unknown };
      outputs.push(slice.output);
      cursor = slice.cursor;
    } while (cursor !== undefined);
    return outputs;
  }

  it('index tickers of two months, and what cannot be indexed becomes a dead letter', async () => {
    const { s3, bucket } = stage();
    const lake = new S3Lake(s3, bucket);
    for (const slotMs of SLOTS) {
      await lake.putTickers(
        { ...market, slotMs },
        tickersAt(slotMs).map((each) => JSON.stringify(each)),
      );
    }
    // The last slot is left to be replayed.
    const records = recordsOf([...SLOTS.slice(0, -1).flatMap(tickersAt), 'no ticker']);
    expect(await stage().invoke('index', toMskEvent(records, ORIGIN))).toMatchObject({
      batchItemFailures: [],
    });
  });

  it('summarise them', async () => {
    expect(await stage().invoke('summarise', {})).toMatchObject({ done: true, hours: SLOTS.length - 1 });
  });

  it('do every command of an operator', async () => {
    const { s3, bucket } = stage();
    await setAside(s3, bucket);
    const done: string[] = [];
    // First straight into the index, which lacks some of it; then through the stream.
    await operate('replay', { ...INPUTS.replay, direct: true });
    for (const name of Object.keys(OPERATIONS)) {
      const outputs = await operate<unknown>(name);
      if (name === 'verify') expect(outputs).toMatchObject([{ differences: [], problems: [] }]);
      if (name === 'doctor') {
        const checks = outputs.flat() as Check[];
        const looked = checks.filter((check) => check.name !== 'consumer lag' && check.name !== 'freshness');
        expect(looked.filter(({ status }) => status === 'fail')).toEqual([]);
      }
      done.push(name);
    }
    expect(done).toEqual(expect.arrayContaining(Object.keys(INPUTS)));
  });

  it('make Parquet of the days that are over, once', async () => {
    const { s3, bucket } = stage();
    const days = Map.groupBy(SLOTS, (slotMs) => iso(slotMs).slice(0, 10));
    expect(await stage().invoke('compact', {})).toMatchObject({
      failed: 0,
      problems: [],
      due: expect.any(Number),
    });
    for (const [period, slots] of days) {
      const file = { table: 'tickers', ...market, period } as const;
      const manifest = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: manifestKey(file) }));
      const { rows, bytes } = JSON.parse((await manifest.Body?.transformToString()) ?? '');
      expect({ period, rows }).toEqual({ period, rows: slots.length * SYMBOLS.length });
      const { ContentLength } = await s3.send(
        new HeadObjectCommand({ Bucket: bucket, Key: columnKey(file) }),
      );
      expect(ContentLength).toBe(bytes);
    }
    expect(await stage().invoke('compact', {})).toMatchObject({ due: 0, written: 0 });
  });

  it('answer every question, and a report', async () => {
    const answers = [];
    for (const question of QUESTIONS)
      answers.push({ question, ...((await stage().invoke('insights', question)) as object) });
    expect(answers.filter((answer) => !('answer' in answer))).toEqual([]);
    const report = { operation: 'report', input: { asOf: to, currencies: 1, symbols: ['AUSDT'] } };
    expect(await stage().invoke('insights', report)).toMatchObject({
      output: { choices: [expect.anything()] },
    });
  });

  it('watch', async () => {
    expect(await stage().invoke('watch', {})).toMatchObject({ newest: expect.anything() });
  });

  it('delete the months that have become too old', async () => {
    const deleted: unknown[] = [];
    // A run that finds unsummarised ticks keeps their month until the next run.
    for (let run = 1; run <= 3 && deleted.length < MONTHS.length; run += 1) {
      const { deletedMonths } = (await stage().invoke('summarise', {})) as { deletedMonths: string[] };
      deleted.push(...deletedMonths);
    }
    expect(deleted).toEqual(MONTHS);
  });

  it('are refused nothing of all this', () => {
    const { openSearchFront, kafkaFront, broker } = stage().local;
    expect(openSearchFront.refusals).toEqual([]);
    expect(kafkaFront.refusals).toEqual([]);
    expect(refusalsOf(broker)).toEqual([]);
    const constructs = [...openSearchFront.roles].map(
      (arn) => /-(Indexer|Insights|Operator|Summariser|Watch)/.exec(arn)?.[1],
    );
    expect(constructs.sort()).toEqual(['Indexer', 'Insights', 'Operator', 'Summariser', 'Watch']);
  });
}

/** A dead letter that can be indexed, and a batch that Lambda gave up, of which one record cannot. */
async function setAside(s3: S3Client, bucket: string): Promise<void> {
  const tickers = tickersAt(TO_MS - MINUTE_MS);
  await new S3DeadLetters(s3, bucket).put(
    recordsOf(tickers).map(({ topic, partition, offset, value }) => ({
      ...{ v: 1, topic, partition, offset, value_base64: value },
      ...{
        error_type: 'es_rejected_execution_exception',
        reason: '429 es_rejected_execution_exception: full',
      },
      ...{ produced_at: to, first_seen: to },
    })),
  );
  const record = invocationRecord(
    recordsOf([...tickers, 'no ticker']),
    { condition: 'RecordAgeExceeded', invokeCount: 3, error: new Error('OpenSearch was away') },
    {
      ...ORIGIN,
      functionName: 'index',
      requestId: '1',
      now: new Date(TO_MS),
    },
  );
  const Key = 'aws/lambda/mapping/tickers/given-up-1';
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: JSON.stringify(record) }));
}
