import { describe, expect, it } from 'vitest';
import { checkLag, checkSearch } from '../../../../../core/operate/doctor/services.ts';
import type { SearchHealth, StreamHealth } from '../../../../../core/operate/ports.ts';

/** Kafka's answers, one for each look; the last one again and again. */
function lagging(...answers: Awaited<ReturnType<StreamHealth['lag']>>[]) {
  let looks = 0;
  let waitedMs = 0;
  const kafka = {
    consumerGroup: 'index',
    lag: async () => answers[Math.min(looks++, answers.length - 1)],
  } as unknown as StreamHealth;
  const sleep = async (ms: number) => {
    waitedMs += ms;
  };
  const look = (collecting: boolean) => checkLag(kafka, collecting, { batchingWindowMs: 10_000, sleep });
  return { look, waitedMs: () => waitedMs };
}

const NO_MEMBER = { members: 0 };

describe('consumer lag', () => {
  it('is fine without members of the group, if its offsets move: pollers may commit without joining it', async () => {
    const { look, waitedMs } = lagging(
      { records: 500, committed: 1_000, ...NO_MEMBER },
      { records: 500, committed: 1_000, ...NO_MEMBER },
      { records: 0, committed: 1_500, ...NO_MEMBER },
    );
    expect(await look(true)).toEqual({ status: 'ok', finding: '500 records of group index, 1000 committed' });
    expect(waitedMs()).toBe(2_000);
  });

  it('is fine if nothing waits', async () => {
    const { look, waitedMs } = lagging({ records: 0, committed: 1_000, ...NO_MEMBER });
    expect(await look(true)).toMatchObject({ status: 'ok' });
    expect(waitedMs()).toBe(0);
  });

  it('fails if records wait and nothing is committed for longer than a batch is gathered', async () => {
    const { look, waitedMs } = lagging({ records: 500, committed: 1_000, ...NO_MEMBER });
    expect(await look(true)).toMatchObject({
      status: 'fail',
      finding: '500 records of group index, 1000 committed, none of them in 20 s',
      advice: expect.stringContaining('Nothing consumes'),
    });
    expect(waitedMs()).toBe(20_000);
  });

  it('only warns where nothing is collected', async () => {
    expect(await lagging({ records: 5, committed: 0, ...NO_MEMBER }).look(false)).toMatchObject({
      status: 'warn',
    });
  });

  it('is much if it is', async () => {
    expect(await lagging({ records: 50_000, committed: 0, members: 1 }).look(true)).toMatchObject({
      status: 'warn',
      advice: expect.stringContaining('behind'),
    });
  });
});

describe('a yellow domain', () => {
  const yellow = (nodes: number) =>
    checkSearch({
      cluster: async () => ({ status: 'yellow', nodes, shards: 9 }),
    } as Partial<SearchHealth> as SearchHealth);

  it('is normal with a single node, which has no place for replicas', async () => {
    expect(await yellow(1)).toEqual({
      status: 'ok',
      finding: 'yellow, 1 node, 9 shards; a single node is always yellow',
    });
  });

  it('is a warning with several', async () => {
    expect(await yellow(3)).toMatchObject({ status: 'warn' });
  });
});
