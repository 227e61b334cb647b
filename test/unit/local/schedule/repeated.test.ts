import { describe, expect, it, vi } from 'vitest';
import { callRepeatedly } from '../../../../local/schedule/repeated.ts';

function bench(answer: () => Promise<unknown>) {
  const call = vi.fn(answer);
  const onFailed = vi.fn();
  return { schedule: callRepeatedly({ call, onFailed, everyMs: 1 }), call, onFailed };
}

describe('a repeated call', () => {
  it('is made again after a failure, which is reported', async () => {
    const { schedule, call, onFailed } = bench(() => Promise.reject(new Error('unavailable')));
    await vi.waitFor(() => expect(call.mock.calls.length).toBeGreaterThanOrEqual(3), { timeout: 20_000 });
    await schedule.stop();
    expect(onFailed).toHaveBeenCalledWith(expect.objectContaining({ message: 'unavailable' }));
  });

  it('is awaited when the schedule stops, and is the last one', async () => {
    const gate = Promise.withResolvers<void>();
    const { schedule, call } = bench(() => gate.promise);
    await vi.waitFor(() => expect(call).toHaveBeenCalledOnce(), { timeout: 20_000 });
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
