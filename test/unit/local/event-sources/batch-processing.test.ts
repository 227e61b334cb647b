import type { MSKRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import {
  type BatchHandling,
  type Discard,
  processBatch,
  type Retry,
  type RetryPolicy,
} from '../../../../local/event-sources/batch-processing.ts';

const policy: RetryPolicy = {
  partialBatchResponse: false,
  bisectOnError: false,
  maximumRetryAttempts: -1,
  backoff: { initialMs: 100, maxMs: 1_000 },
};

function records(count: number, partition = 0, timestamp = 0): MSKRecord[] {
  return Array.from(
    { length: count },
    (_, offset) => ({ topic: 'tickers', partition, offset, timestamp }) as MSKRecord,
  );
}

/** Processes a batch and records what happened; only pauses move the clock. */
async function run(
  batch: MSKRecord[],
  options: Partial<RetryPolicy>,
  invoke: (records: readonly MSKRecord[], call: number) => unknown,
  isAssigned = () => true,
) {
  let nowMs = 10_000;
  const calls: number[][] = [];
  const settled: number[] = [];
  const discards: ({ offsets: number[] } & Discard)[] = [];
  const retries: Retry[] = [];
  const handling: BatchHandling = {
    invoke: async (given) => {
      calls.push(given.map(({ offset }) => offset));
      return invoke(given, calls.length);
    },
    done: async (given) => void settled.push(...given.map(({ offset }) => offset)),
    discard: async (given, discard) => {
      const offsets = given.map(({ offset }) => offset);
      settled.push(...offsets);
      discards.push({ offsets, ...discard });
    },
    onRetry: (retry) => void retries.push(retry),
    isAssigned,
    now: () => nowMs,
    sleep: async (delayMs) => {
      nowMs += delayMs;
    },
  };
  await processBatch(batch, { ...policy, ...options }, handling);
  return { calls, settled, discards, retries };
}

const failOn = (offset: number) => (given: readonly MSKRecord[]) => {
  if (given.some((record) => record.offset === offset)) throw new Error(`record ${offset} is poison`);
};
const reportFrom = (offset: number) => ({
  batchItemFailures: [{ itemIdentifier: { partition: 'tickers-0', offset } }],
});

describe('without partial batch responses', () => {
  it('counts any returned value as success, even one that reports failures', async () => {
    const { calls, settled } = await run(records(2), {}, () => reportFrom(0));
    expect(calls).toHaveLength(1);
    expect(settled).toEqual([0, 1]);
  });

  it('retries the whole batch until it succeeds, with growing pauses', async () => {
    const { calls, retries, settled } = await run(records(2), {}, (_, call) => {
      if (call < 6) throw new Error('not yet');
    });
    expect(calls).toEqual(Array(6).fill([0, 1]));
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([100, 200, 400, 800, 1_000]);
    expect(settled).toEqual([0, 1]);
  });

  it('gives up when the attempts are exhausted', async () => {
    const { calls, discards } = await run(records(2), { maximumRetryAttempts: 2 }, failOn(1));
    expect(calls).toHaveLength(3);
    expect(discards).toMatchObject([
      { offsets: [0, 1], condition: 'RetryAttemptsExhausted', invokeCount: 3, error: expect.any(Error) },
    ]);
  });
});

describe('with bisecting', () => {
  it('isolates the poison record and keeps the order', async () => {
    const { discards, settled } = await run(
      records(9),
      { bisectOnError: true, maximumRetryAttempts: 1 },
      failOn(5),
    );
    expect(discards).toMatchObject([{ offsets: [5], invokeCount: 2 }]);
    expect(settled).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('does not count a split as an attempt', async () => {
    const { discards, settled } = await run(
      records(4),
      { bisectOnError: true, maximumRetryAttempts: 0 },
      failOn(0),
    );
    expect(discards.map(({ offsets }) => offsets)).toEqual([[0]]);
    expect(settled).toEqual([0, 1, 2, 3]);
  });
});

describe('with partial batch responses', () => {
  it('retries only from the failed offset', async () => {
    const { calls, settled } = await run(records(5), { partialBatchResponse: true }, (_, call) =>
      call === 1 ? reportFrom(3) : undefined,
    );
    expect(calls).toEqual([
      [0, 1, 2, 3, 4],
      [3, 4],
    ]);
    expect(settled).toEqual([0, 1, 2, 3, 4]);
  });

  it('retries the whole batch after a malformed answer', async () => {
    const { calls } = await run(records(2), { partialBatchResponse: true }, (_, call) =>
      call === 1 ? { batchItemFailures: 'all' } : null,
    );
    expect(calls).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it('resets the attempts after progress, and discards without a function error', async () => {
    const { calls, discards } = await run(
      records(3),
      { partialBatchResponse: true, maximumRetryAttempts: 1 },
      (given, call) => (call === 1 ? reportFrom(1) : reportFrom(given[0]?.offset ?? 0)),
    );
    expect(calls).toEqual([
      [0, 1, 2],
      [1, 2],
    ]);
    expect(discards).toHaveLength(1);
    expect(discards[0]).toMatchObject({ offsets: [1, 2], condition: 'RetryAttemptsExhausted' });
    expect(discards[0]).not.toHaveProperty('error');
  });

  it('isolates a record that is always reported, with bisecting', async () => {
    const { discards, settled } = await run(
      records(6),
      { partialBatchResponse: true, bisectOnError: true, maximumRetryAttempts: 0 },
      (given) => (given.some(({ offset }) => offset === 2) ? reportFrom(2) : null),
    );
    expect(discards.map(({ offsets }) => offsets)).toEqual([[2]]);
    expect(settled).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('with a maximum age', () => {
  it('discards old records without calling the function, and handles the others', async () => {
    const batch = [...records(2), ...records(3, 0, 9_500).slice(2)];
    const { calls, discards } = await run(batch, { maximumRecordAgeMs: 1_000 }, () => null);
    expect(discards).toMatchObject([{ offsets: [0, 1], condition: 'RecordAgeExceeded', invokeCount: 0 }]);
    expect(calls).toEqual([[2]]);
  });

  it('stops retrying records that have become too old', async () => {
    const { calls, discards } = await run(records(1, 0, 9_500), { maximumRecordAgeMs: 1_000 }, failOn(0));
    expect(calls.length).toBeGreaterThan(1);
    expect(discards).toMatchObject([{ condition: 'RecordAgeExceeded', invokeCount: calls.length }]);
  });
});

it('does not retry a batch that it has lost', async () => {
  let ours = true;
  const { calls, settled } = await run(
    records(2),
    {},
    () => {
      ours = false;
      throw new Error('rebalanced meanwhile');
    },
    () => ours,
  );
  expect(calls).toHaveLength(1);
  expect(settled).toEqual([]);
});
