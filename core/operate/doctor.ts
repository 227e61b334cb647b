import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Admin } from 'kafkajs';
import * as z from 'zod';
import { indexTemplates } from '../../stores/opensearch/index-templates.ts';
import { OpenSearchTickerIds } from '../../stores/opensearch/ticker-ids.ts';
import { DEAD_LETTERS } from '../../stores/s3/dead-letters.ts';
import { GIVEN_UP_BATCHES } from '../../stores/s3/given-up-batches.ts';
import { marketsIn, samplingIntervalOf } from '../market/sampling.ts';
import { extentOf, marketsOf } from './lake-walk.ts';
import type { Operation, OperationServices, Slice } from './operation.ts';

const inputSchema = z.strictObject({
  /** The pipeline's `now`, ISO 8601. @default the clock on the wall */
  now: z.iso.datetime({ offset: true }).optional(),
  /** Whether polls ought to come in at this time, so that old data is a failure. @default true */
  collecting: z.boolean().optional(),
});

/** What one check found. */
export interface Check {
  name: string;
  status: 'ok' | 'warn' | 'fail';
  finding: string;
  /** What to do, where something is wrong. */
  advice?: string;
}

type Result = Omit<Check, 'name'>;

/** A check that takes longer has found what it looked for: something hangs. */
const CHECK_MS = 15_000;
/** After so many polls that brought nothing an exchange is late, and very late. */
const LATE_POLLS = 3;
const VERY_LATE_POLLS = 9;
/** About two full events of the index function. */
const MUCH_LAG = 20_000;
const MOST_OBJECTS = 1_000;

/** Looks whether everything that the pipeline stands on is there and in time. Changes no data. */
export const doctor: Operation<z.infer<typeof inputSchema>, Check[]> = {
  name: 'doctor',
  input: inputSchema,
  async slice(input, _, services): Promise<Slice<Check[]>> {
    const nowMs = input.now === undefined ? Date.now() : Date.parse(input.now);
    const collecting = input.collecting ?? true;
    const kafka = checkKafka(services);
    const checks = [
      check('Kafka', kafka.reachable, 'See whether the brokers run and can be reached from here.'),
      check('topic', kafka.topic, 'Kafka has to be reached first.'),
      check('consumer lag', () => kafka.lag(collecting), 'Kafka has to be reached first.'),
      check(
        'OpenSearch',
        () => health(services),
        'See whether OpenSearch runs and can be reached from here.',
      ),
      check('index templates', () => templates(services), 'OpenSearch has to be reached first.'),
      check('lake', () => lakeIsWritable(services), 'See whether the bucket is there and may be written to.'),
      check('last slot ingested', () => lastIngested(services), 'The lake has to be readable first.'),
      check(
        'last slot indexed',
        () => lastIndexed(services),
        'Lake and OpenSearch have to be readable first.',
      ),
      check('freshness', () => freshness(services, nowMs, collecting), 'The lake has to be readable first.'),
      check('dead letters', () => leftAside(services), 'The lake has to be readable first.'),
    ];
    const output = await Promise.all(checks);
    await kafka.close();
    return { progress: { done: output.length, total: output.length, unit: 'checks' }, output };
  },
};

/** Whatever goes wrong in a check is what it found. */
async function check(name: string, look: () => Promise<Result>, advice: string): Promise<Check> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${CHECK_MS / 1_000} s`)), CHECK_MS);
  try {
    return { name, ...(await Promise.race([look(), late.promise])) };
  } catch (error) {
    const { name: kind, message } = error as Error;
    return { name, status: 'fail', finding: message || kind, advice };
  } finally {
    clearTimeout(timer);
  }
}

const ok = (finding: string): Result => ({ status: 'ok', finding });
const warn = (finding: string, advice: string): Result => ({ status: 'warn', finding, advice });
const fail = (finding: string, advice: string): Result => ({ status: 'fail', finding, advice });

function checkKafka({ kafka, topic, consumerGroup }: OperationServices) {
  const admin = kafka.admin({ retry: { retries: 1, initialRetryTime: 200 } });
  let connected: Promise<void> | undefined;
  const connect = async (): Promise<Admin> => {
    connected ??= admin.connect();
    await connected;
    return admin;
  };
  return {
    async reachable(): Promise<Result> {
      const { brokers } = await (await connect()).describeCluster();
      const names = brokers.map(({ host, port }) => `${host}:${port}`);
      return ok(`${brokers.length} broker${brokers.length === 1 ? '' : 's'}: ${names.join(', ')}`);
    },
    async topic(): Promise<Result> {
      const client = await connect();
      if (!(await client.listTopics()).includes(topic)) {
        return fail(
          `there is no topic ${topic}`,
          'Deploy the stage, or start the pipeline, again: it makes the topic.',
        );
      }
      const { topics } = await client.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]?.partitions ?? [];
      const leaderless = partitions.filter(({ leader }) => leader < 0).length;
      const shrunk = partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length;
      const size = `${topic}, ${partitions.length} partitions`;
      if (leaderless > 0)
        return fail(`${size}, ${leaderless} without a leader`, 'See whether all brokers run.');
      if (shrunk > 0) return warn(`${size}, ${shrunk} under-replicated`, 'See whether all brokers run.');
      return ok(size);
    },
    async lag(collecting: boolean): Promise<Result> {
      const client = await connect();
      const [ends, committed, groups] = await Promise.all([
        client.fetchTopicOffsets(topic),
        client.fetchOffsets({ groupId: consumerGroup, topics: [topic] }),
        client.describeGroups([consumerGroup]),
      ]);
      const offsets = new Map(
        committed.flatMap(({ partitions }) =>
          partitions.map((p) => [p.partition, Number(p.offset)] as const),
        ),
      );
      const lag = ends.reduce(
        (sum, { partition, low, high }) =>
          sum + Number(high) - Math.max(Number(low), offsets.get(partition) ?? 0),
        0,
      );
      const members = groups.groups[0]?.members.length ?? 0;
      const finding = `${lag} records of group ${consumerGroup}, ${members} consumer${members === 1 ? '' : 's'}`;
      if (members === 0 && collecting) {
        return fail(
          finding,
          'Nobody consumes: see whether the event source mapping of the index function is enabled.',
        );
      }
      if (lag > MUCH_LAG)
        return warn(finding, 'The index function is behind: see its errors and OpenSearch.');
      if (lag > 0 && members === 0)
        return warn(finding, 'They are indexed when the pipeline is started again.');
      return ok(finding);
    },
    async close(): Promise<void> {
      await admin.disconnect().catch(() => undefined); // it may never have been connected
    },
  };
}

async function health({ openSearch }: OperationServices): Promise<Result> {
  const { body } = await openSearch.cluster.health();
  const finding = `${body.status}, ${body.number_of_nodes} node${body.number_of_nodes === 1 ? '' : 's'}, ${body.active_shards} shards`;
  if (body.status === 'red') {
    return fail(finding, 'Some data cannot be read or written: see which index (GET _cat/shards) and why.');
  }
  if (body.status === 'yellow') {
    return warn(
      finding,
      'Some replicas are not there yet: it passes while a node comes back; else see GET _cat/shards.',
    );
  }
  return ok(finding);
}

/** The values do not matter here: only the names. */
const TEMPLATE_NAMES = Object.keys(indexTemplates({ shards: 1, replicas: 0, refreshInterval: '1s' }));

async function templates({ openSearch }: OperationServices): Promise<Result> {
  const there = await Promise.all(
    TEMPLATE_NAMES.map(
      async (name) => (await openSearch.indices.existsIndexTemplate({ name })).body as boolean,
    ),
  );
  const missing = TEMPLATE_NAMES.filter((_, position) => !there[position]);
  if (missing.length === 0) return ok(TEMPLATE_NAMES.join(', '));
  return fail(
    `missing: ${missing.join(', ')}`,
    'Deploy the stage, or start the pipeline, again: it puts them. Until then new indices get wrong mappings.',
  );
}

async function lakeIsWritable({ s3, bucket }: OperationServices): Promise<Result> {
  const object = { Bucket: bucket, Key: 'state/doctor-probe' };
  const Body = `written by doctor at ${new Date().toISOString()}`;
  await s3.send(new PutObjectCommand({ ...object, Body, ContentType: 'text/plain' }));
  const read = await (await s3.send(new GetObjectCommand(object))).Body?.transformToString();
  await s3.send(new DeleteObjectCommand(object));
  if (read !== Body)
    return fail(`bucket ${bucket} gave back something else than was written`, 'Look at the S3 server.');
  return ok(`bucket ${bucket}: written, read, deleted`);
}

/** What the outbox markers say: the last slot that the stream acknowledged, by source. */
async function lastIngested({ lake }: OperationServices): Promise<Result> {
  const found: string[] = [];
  for await (const key of lake.keys('state/')) {
    const source = /^state\/(.+)\.json$/.exec(key)?.[1];
    if (source === undefined) continue;
    const { acknowledged } = await lake.readOutbox(source);
    for (const [category, { slot, tickers }] of Object.entries(acknowledged)) {
      found.push(`${source} ${category} ${slot} (${tickers} tickers)`);
    }
  }
  if (found.length > 0) return ok(found.join('; '));
  return warn(
    'no poll has been acknowledged yet',
    'Wait for the first poll, or see the ingest function’s errors.',
  );
}

/** The last slot of each market in the index, and how far it is behind the lake. */
async function lastIndexed({ lake, openSearch }: OperationServices): Promise<Result> {
  const index = new OpenSearchTickerIds(openSearch);
  await index.refresh();
  const behind: string[] = [];
  const found: string[] = [];
  for (const market of await marketsOf(lake)) {
    const name = `${market.exchange} ${market.category}`;
    const inLakeMs = (await extentOf(lake, market))?.lastSlotMs ?? 0;
    const indexedMs = await index.newestSlot(market);
    if (indexedMs === undefined) behind.push(`${name}: nothing`);
    else if (indexedMs < inLakeMs) behind.push(`${name} ${inMinutes(inLakeMs - indexedMs)} behind the lake`);
    else found.push(`${name} ${new Date(indexedMs).toISOString()}`);
  }
  if (behind.length > 0) {
    return warn(
      behind.join('; '),
      'See the consumer lag; what stays missing "verify" finds and "replay" repairs.',
    );
  }
  return found.length > 0
    ? ok(found.join('; '))
    : warn('the lake holds nothing yet', 'Wait for the first poll.');
}

/** Each market by its own interval: one that has stopped is not hidden by another that goes on. */
async function freshness(
  { lake, exchanges, summaries }: OperationServices,
  nowMs: number,
  collecting: boolean,
): Promise<Result> {
  const intervals = summaries.samplingIntervals;
  const polled = exchanges ? marketsIn(intervals, exchanges) : await marketsOf(lake);
  if (polled.length === 0) return warn('the lake holds nothing yet', 'Wait for the first poll.');
  const ages = await Promise.all(
    polled.map(async (market) => {
      const name = `${market.exchange} ${market.category}`;
      const slotMs = (await extentOf(lake, market))?.lastSlotMs;
      // In a replay the data may have run ahead since `now` was read.
      const ageMs = Math.max(0, nowMs - (slotMs ?? 0));
      const text = slotMs === undefined ? `${name}: nothing` : `${name}: ${inMinutes(ageMs)} old`;
      return { polls: ageMs / samplingIntervalOf(market, intervals), text };
    }),
  );
  const finding = `the last slots at ${new Date(nowMs).toISOString()}: ${ages.map(({ text }) => text).join(', ')}`;
  const polls = Math.max(...ages.map((each) => each.polls));
  if (polls <= LATE_POLLS) return ok(finding);
  if (!collecting) return warn(finding, 'Nothing is collected at the moment.');
  const advice = 'See the errors of the ingest function and its schedule.';
  return polls <= VERY_LATE_POLLS ? warn(finding, advice) : fail(finding, advice);
}

async function leftAside({ lake }: OperationServices): Promise<Result> {
  const [letters, batches] = await Promise.all([
    countObjects(lake, DEAD_LETTERS),
    countObjects(lake, GIVEN_UP_BATCHES),
  ]);
  if (letters === 0 && batches === 0) return ok('none');
  const count = (objects: number) => (objects >= MOST_OBJECTS ? `${MOST_OBJECTS} or more` : String(objects));
  return warn(
    `dead letters in ${count(letters)} objects, batches that Lambda gave up: ${count(batches)}`,
    'See why with "redrive --dry-run"; after the fix "redrive" indexes them.',
  );
}

async function countObjects(lake: OperationServices['lake'], folder: string): Promise<number> {
  let objects = 0;
  for await (const _ of lake.keys(folder)) {
    objects += 1;
    if (objects >= MOST_OBJECTS) break;
  }
  return objects;
}

function inMinutes(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;
}
