import { describe, expect, it, vi } from 'vitest';
import { watchEachMinute } from '../../../../local/schedule/watch.ts';

const NOON_MS = Date.parse('2018-07-01T12:00:00.000Z');

function bench(invoke: (event: object) => Promise<unknown>, now: () => number | undefined = () => undefined) {
  const call = vi.fn(invoke);
  const onFailed = vi.fn();
  return {
    schedule: watchEachMinute({ invoke: call, now, onFailed, firstMs: 1, everyMs: 1 }),
    call,
    onFailed,
  };
}

describe('the schedule of watch', () => {
  it('calls repeatedly, with the replay’s clock if there is one', async () => {
    let nowMs: number | undefined;
    const { schedule, call } = bench(
      async () => {
        nowMs = nowMs === undefined ? NOON_MS : nowMs + 1_000;
      },
      () => nowMs,
    );
    await vi.waitFor(() => expect(call.mock.calls.length).toBeGreaterThanOrEqual(3));
    await schedule.stop();
    expect(call.mock.calls.slice(0, 3)).toEqual([
      [{}],
      [{ now: '2018-07-01T12:00:00.000Z' }],
      [{ now: '2018-07-01T12:00:01.000Z' }],
    ]);
  });

  it('reports a failure and continues', async () => {
    const { schedule, call, onFailed } = bench(() => Promise.reject(new Error('unavailable')));
    await vi.waitFor(() => expect(call.mock.calls.length).toBeGreaterThanOrEqual(2));
    await schedule.stop();
    expect(onFailed).toHaveBeenCalledWith(expect.objectContaining({ message: 'unavailable' }));
  });

  it('waits for the current call when stopped', async () => {
    const gate = Promise.withResolvers<void>();
    const { schedule, call } = bench(() => gate.promise);
    await vi.waitFor(() => expect(call).toHaveBeenCalledOnce());
    let stopped = false;
    const stopping = schedule.stop().then(() => {
      stopped = true;
    });
    await new Promise(setImmediate);
    expect(stopped).toBe(false);
    gate.resolve();
    await stopping;
    expect(call).toHaveBeenCalledOnce();
  });
});
