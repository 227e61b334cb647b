import { counted } from '../../text/format.ts';
import type { OperationServices } from '../operation.ts';
import type { LakeHealth, SearchHealth, StreamHealth } from '../ports.ts';
import { fail, ok, type Result, warn } from './check.ts';

/** About two full events of the index function. */
const MUCH_LAG = 20_000;
const RESTART = 'Deploy the stage, or start the pipeline, again';

export async function checkBrokers(kafka: StreamHealth): Promise<Result> {
  const brokers = await kafka.brokers();
  return ok(`${counted(brokers.length, 'broker')}: ${brokers.join(', ')}`);
}

export async function checkTopic(kafka: StreamHealth): Promise<Result> {
  const partitions = await kafka.partitions();
  if (!partitions) return fail(`there is no topic ${kafka.topic}`, `${RESTART}: that creates the topic.`);
  const { total, leaderless, underReplicated } = partitions;
  const size = `${kafka.topic}, ${total} partitions`;
  const advice = 'Check that all brokers run.';
  if (leaderless > 0) return fail(`${size}, ${leaderless} without a leader`, advice);
  if (underReplicated > 0) return warn(`${size}, ${underReplicated} under-replicated`, advice);
  return ok(size);
}

/** How long to watch whether offsets move: a poller gathers records for the batching window, then indexes them. */
export const watchMsOf = (batchingWindowMs: number) => batchingWindowMs + 10_000;
const LOOK_AGAIN_MS = 1_000;

/** @param collecting whether there ought to be a consumer */
export async function checkLag(
  kafka: StreamHealth,
  collecting: boolean,
  { batchingWindowMs, sleep }: Pick<OperationServices, 'batchingWindowMs' | 'sleep'>,
): Promise<Result> {
  const before = await kafka.lag();
  const { records, committed, members } = before;
  const finding = `${counted(records, 'record')} of group ${kafka.consumerGroup}, ${committed} committed`;
  if (records === 0) return ok(finding);
  if (!collecting) {
    return members > 0 ? ok(finding) : warn(finding, 'They are indexed when the pipeline starts again.');
  }
  if (members === 0 && !(await moves(kafka, committed, watchMsOf(batchingWindowMs), sleep))) {
    return fail(
      `${finding}, none of them in ${watchMsOf(batchingWindowMs) / 1_000} s`,
      'Nothing consumes the topic: check that the event source mapping of the index function is enabled, and its LastProcessingResult.',
    );
  }
  return records > MUCH_LAG
    ? warn(finding, 'The index function is behind: check its errors and OpenSearch.')
    : ok(finding);
}

/** Whether the group commits more than this within the time. */
async function moves(
  kafka: StreamHealth,
  committed: number,
  withinMs: number,
  sleep: OperationServices['sleep'],
): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < withinMs; waitedMs += LOOK_AGAIN_MS) {
    await sleep(LOOK_AGAIN_MS);
    if ((await kafka.lag()).committed > committed) return true;
  }
  return false;
}

export async function checkSearch(search: SearchHealth): Promise<Result> {
  const { status, nodes, shards } = await search.cluster();
  const finding = `${status}, ${counted(nodes, 'node')}, ${counted(shards, 'shard')}`;
  if (status === 'red') {
    return fail(finding, 'Some data cannot be read or written: GET _cat/shards shows which index and why.');
  }
  // OpenSearch's own indices want a replica, and a single node has no place for it.
  if (status === 'yellow' && nodes === 1) return ok(`${finding}; a single node is always yellow`);
  if (status === 'yellow') {
    return warn(
      finding,
      'Some replicas are missing. That passes while a node comes back; otherwise look at GET _cat/shards.',
    );
  }
  return ok(finding);
}

export async function checkTemplates(search: SearchHealth): Promise<Result> {
  const templates = await search.templates();
  const namesOf = (some: typeof templates) => some.map(({ name }) => name).join(', ');
  const missing = templates.filter(({ exists }) => !exists);
  if (missing.length === 0) return ok(namesOf(templates));
  return fail(
    `missing: ${namesOf(missing)}`,
    `${RESTART}: that creates them. Until then new indices get wrong mappings.`,
  );
}

export async function checkColumns(search: SearchHealth): Promise<Result> {
  const older = await search.olderMonths();
  if (older.length === 0) return ok('every field of a ticker has one');
  return warn(
    `the tickers of ${older.join(', ')} are in indices with an older mapping: questions read them, but some of their fields cannot be charted, and Discover fails on them`,
    '"reindex" rebuilds these indices from the lake.',
  );
}

export async function checkLake(lake: LakeHealth): Promise<Result> {
  if (await lake.probe()) return ok(`bucket ${lake.bucket}: written, read, deleted`);
  return fail(`bucket ${lake.bucket} returned something other than what was written`, 'Check the S3 server.');
}
