import { expect, it } from 'vitest';
import { startKafkaEventSource } from '../../local/event-sources/kafka-event-source.ts';
import { eventually } from './eventually.ts';
import type { Stage } from './stage.ts';

/** From the exchange to an answer. */
export function dataPath(stage: () => Stage): void {
  it('polls on its schedule: the batch lies in the bucket and, by IAM over TLS, on the topic', async () => {
    const { kafkaAdmin, kafkaFront } = stage().local;
    const keys = await eventually(
      () => stage().keysOf('state/'),
      (found) => found.length > 0,
    );
    expect(keys[0]).toMatch(/^state\/exchange=bybit\/category=\w+\.json$/);
    const folders = ['inverse', 'linear', 'spot'].map((name) => `tickers/exchange=bybit/category=${name}/`);
    await eventually(
      () => stage().keysOf('tickers/'),
      (batches) => folders.every((folder) => batches.some((key) => key.startsWith(folder))),
    );
    // A market's first marker is there before its first batch is on the topic.
    await eventually(
      () => kafkaAdmin.fetchTopicOffsets(stage().topic),
      (partitions) => partitions.some(({ high }) => Number(high) > 0),
    );
    expect(kafkaFront.refusals).toEqual([]);
    expect([...kafkaFront.requests.keys()]).toContainEqual(expect.stringMatching(/Sourcebybit/));
  });

  it('indexes what lies on the topic, signed in with IAM', async () => {
    const { kafkaFront, identities, certificate, openSearch, openSearchFront } = stage().local;
    const indexed: number[] = [];
    // The emulator stores the mapping but does not poll. Our stand-in polls as the function's role, and calls
    // the function.
    const eventSource = startKafkaEventSource({
      brokers: [kafkaFront.address],
      signIn: {
        ssl: { ca: certificate.pem },
        ...(await identities.signInTo(stage().functionName('index'))),
      },
      topic: stage().topic,
      groupId: stage().consumerGroup,
      invoke: (event) => stage().invoke('index', event),
      partialBatchResponse: false,
      bisectOnError: false,
      onBatch: ({ records }) => indexed.push(records),
      log: console,
    });
    try {
      await eventually(
        async () => indexed.length,
        (batches) => batches > 0,
      );
    } finally {
      await eventSource.stop();
    }
    await openSearch.indices.refresh({ index: 'tickers-*' });
    const { body } = await openSearch.count({ index: 'tickers' });
    expect(body.count).toBeGreaterThan(0);
    expect([...openSearchFront.roles]).toContainEqual(expect.stringMatching(/Indexer/));
    expect(openSearchFront.refusals).toEqual([]);
  });

  it('summarises, answers questions and does operators’ commands', async () => {
    expect(await stage().invoke('summarise', {})).toMatchObject({ deletedMonths: [] });
    expect(await stage().invoke('insights', { question: 'series' })).toMatchObject({ kind: 'answer' });
    expect(await stage().invoke('operate', { operation: 'doctor', input: {} })).toMatchObject({
      progress: expect.anything(),
    });
  });
}
