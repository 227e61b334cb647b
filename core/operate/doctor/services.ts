import type { LakeHealth, SearchHealth, StreamHealth } from '../ports.ts';
import { counted, fail, ok, type Result, warn } from './check.ts';

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

/** @param collecting whether there ought to be a consumer */
export async function checkLag(kafka: StreamHealth, collecting: boolean): Promise<Result> {
  const { records, consumers } = await kafka.lag();
  const finding = `${records} records of group ${kafka.consumerGroup}, ${counted(consumers, 'consumer')}`;
  if (consumers === 0 && collecting) {
    return fail(
      finding,
      'Nothing consumes the topic: check that the event source mapping of the index function is enabled.',
    );
  }
  if (records > MUCH_LAG) {
    return warn(finding, 'The index function is behind: check its errors and OpenSearch.');
  }
  if (records > 0 && consumers === 0) {
    return warn(finding, 'They are indexed when the pipeline starts again.');
  }
  return ok(finding);
}

export async function checkSearch(search: SearchHealth): Promise<Result> {
  const { status, nodes, shards } = await search.cluster();
  const finding = `${status}, ${counted(nodes, 'node')}, ${shards} shards`;
  if (status === 'red') {
    return fail(finding, 'Some data cannot be read or written: GET _cat/shards shows which index and why.');
  }
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
    `the tickers of ${older.join(', ')} are in indices of an older shape: questions read them, but some of their fields cannot be charted, and Discover fails on them`,
    '"reindex" makes these indices anew from the lake.',
  );
}

export async function checkLake(lake: LakeHealth): Promise<Result> {
  if (await lake.probe()) return ok(`bucket ${lake.bucket}: written, read, deleted`);
  return fail(`bucket ${lake.bucket} returned something other than what was written`, 'Check the S3 server.');
}
