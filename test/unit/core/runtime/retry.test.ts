import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RetryOptions, retryAfterMs, retryUntilDeadline } from '../../../../core/runtime/retry.ts';

class Busy extends Error {
  readonly retryAtMs: number | undefined;
  constructor(message = 'busy', retryAtMs?: number) {
    super(message);
    this.retryAtMs = retryAtMs;
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs it on the fake clock and returns when each attempt started. */
async function run(attempt: (count: number) => unknown, options: Partial<RetryOptions> = {}) {
  const startedAtMs: number[] = [];
  const delaysMs: number[] = [];
  const outcome = retryUntilDeadline(
    async () => {
      startedAtMs.push(Date.now());
      return attempt(startedAtMs.length);
    },
    {
      deadlineMs: 60_000,
      initialDelayMs: 100,
      maxDelayMs: 1_000,
      isRetryable: (error) => error instanceof Busy,
      retryAtMs: (error) => (error instanceof Busy ? error.retryAtMs : undefined),
      onRetry: ({ delayMs }) => delaysMs.push(delayMs),
      ...options,
    },
  ).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await vi.runAllTimersAsync();
  return { ...(await outcome), startedAtMs, delaysMs };
}

const failing = (error: Error) => () => {
  throw error;
};

describe('retrying until a deadline', () => {
  it('returns what the first attempt returns', async () => {
    expect(await run(() => 'done')).toEqual({ value: 'done', startedAtMs: [0], delaysMs: [] });
  });

  it('returns what a later attempt returns', async () => {
    const { value, startedAtMs } = (await run((count) => {
      if (count < 3) throw new Busy();
      return count;
    })) as { value: number; startedAtMs: number[] };
    expect(value).toBe(3);
    expect(startedAtMs).toHaveLength(3);
  });

  it('does not retry permanent errors', async () => {
    const error = new TypeError('not mine');
    expect(await run(failing(error))).toEqual({ error, startedAtMs: [0], delaysMs: [] });
  });

  it('doubles the upper bound of the wait up to the maximum', async () => {
    const { delaysMs } = await run(failing(new Busy()), { random: () => 1, deadlineMs: 5_000 });
    expect(delaysMs).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  it('waits a random time up to the upper bound', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
          minLength: 4,
          maxLength: 8,
        }),
        async (randoms) => {
          vi.setSystemTime(0);
          const queue = [...randoms];
          const { delaysMs } = await run(
            (count) => {
              if (count <= randoms.length) throw new Busy();
            },
            { random: () => queue.shift() ?? 0 },
          );
          expect(delaysMs).toEqual(randoms.map((random, n) => random * Math.min(1_000, 100 * 2 ** n)));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('starts no attempt at or after the deadline', async () => {
    const { startedAtMs } = await run(failing(new Busy()), { random: () => 1, deadlineMs: 700 });
    expect(startedAtMs).toEqual([0, 100, 300]);
  });

  it('fails with the last real error, not with an error about the deadline', async () => {
    const { error } = (await run(
      (count) => {
        throw new Busy(`attempt ${count}`);
      },
      { random: () => 1, deadlineMs: 700 },
    )) as { error: Error };
    expect(error.message).toBe('attempt 3');
  });

  const cutOff = (ms: number, error: Error) => async (count: number) => {
    if (count === 1) throw new Busy('over capacity');
    await new Promise((resolve) => setTimeout(resolve, ms));
    throw error;
  };
  it('fails with the error before an attempt that the deadline cuts off', async () => {
    const { error, startedAtMs } = (await run(cutOff(700, new Busy('timeout')), {
      random: () => 0,
      deadlineMs: 700,
    })) as { error: Error; startedAtMs: number[] };
    expect(error.message).toBe('over capacity');
    expect(startedAtMs).toHaveLength(2);
  });

  it('fails with a final error, however late it comes', async () => {
    expect(await run(cutOff(700, new TypeError('wrong')), { deadlineMs: 700 })).toMatchObject({
      error: { message: 'wrong' },
    });
  });

  it('starts no attempt if it wakes too late', async () => {
    const { error, startedAtMs } = (await run(
      () => {
        // The machine is busy meanwhile.
        setTimeout(() => vi.setSystemTime(800), 50);
        throw new Busy('over capacity');
      },
      { random: () => 1, deadlineMs: 700 },
    )) as { error: Error; startedAtMs: number[] };
    expect(error.message).toBe('over capacity');
    expect(startedAtMs).toEqual([0]);
  });

  it('tries once even when the deadline has passed', async () => {
    expect(await run(() => 'done', { deadlineMs: -1 })).toMatchObject({ value: 'done' });
  });

  it('waits as long as the other side asked plus the jitter', async () => {
    const { startedAtMs } = await run(
      (count) => {
        if (count === 1) throw new Busy('later', 5_000);
      },
      { random: () => 0.5 },
    );
    expect(startedAtMs).toEqual([0, 5_050]);
  });

  it('does not wait for a time after the deadline', async () => {
    const error = new Busy('much later', 600_000);
    expect(await run(failing(error))).toEqual({ error, startedAtMs: [0], delaysMs: [] });
  });

  it('ignores a requested time that has passed', async () => {
    vi.setSystemTime(10_000);
    const { delaysMs } = await run(
      (count) => {
        if (count === 1) throw new Busy('was earlier', 1);
      },
      { random: () => 0.5 },
    );
    expect(delaysMs).toEqual([50]);
  });

  it('reports the attempt, the wait and the error of each retry', async () => {
    const onRetry = vi.fn();
    const error = new Busy();
    await run(
      (count) => {
        if (count < 3) throw error;
      },
      { random: () => 1, onRetry },
    );
    expect(onRetry.mock.calls).toEqual([
      [{ attempt: 1, delayMs: 100, error }],
      [{ attempt: 2, delayMs: 200, error }],
    ]);
  });

  it('uses the given clock', async () => {
    const { startedAtMs } = await run(failing(new Busy()), { now: () => 1_000_000, deadlineMs: 1_000_000 });
    expect(startedAtMs).toEqual([0]);
  });
});

describe('a Retry-After header', () => {
  it.each([
    ['120', 121_000],
    ['Thu, 01 Jan 1970 00:02:00 GMT', 120_000],
    ['', Number.NaN],
    ['soon', Number.NaN],
  ])('of %j', (header, timeMs) => {
    expect(retryAfterMs(header, 1_000)).toBe(timeMs);
  });
});
