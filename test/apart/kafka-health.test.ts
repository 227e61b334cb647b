import { randomUUID } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { KafkaHealth } from '../../stores/kafka/health.ts';
import { freshTopic, kafka } from '../integration/services.ts';

let health: KafkaHealth | undefined;
afterEach(() => health?.close());

/** A group that has committed offsets of a topic with one record in each partition. */
async function committed(offsets: readonly number[]): Promise<KafkaHealth> {
  const topic = await freshTopic(offsets.length);
  const groupId = `group-${randomUUID()}`;
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: offsets.map((_, partition) => ({ partition, value: 'one' })) });
  await producer.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  const partitions = offsets.map((offset, partition) => ({ partition, offset: String(offset) }));
  await admin.setOffsets({ groupId, topic, partitions });
  await admin.disconnect();
  return new KafkaHealth(kafka, topic, groupId);
}

it('counts the records that a group has not handled', async () => {
  health = await committed([0, 1]);
  expect(await health.lag()).toMatchObject({ records: 1, members: 0 });
});

it('does not take what a group committed of an earlier topic for records ahead', async () => {
  health = await committed([0, 5]);
  expect(await health.lag()).toMatchObject({ records: 1, members: 0 });
});

it('sets no timers while its connection is idle', async () => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.listTopics();
  const timers = vi.spyOn(globalThis, 'setTimeout');
  try {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    // The test's own.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(timers).toHaveBeenCalledTimes(1);
  } finally {
    timers.mockRestore();
    await admin.disconnect();
  }
});
