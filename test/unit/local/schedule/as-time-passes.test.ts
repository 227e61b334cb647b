import { describe, expect, it, vi } from 'vitest';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { callAsTimePasses } from '../../../../local/schedule/as-time-passes.ts';

const at = (time: string) => Date.parse(`2018-07-01T${time}Z`);

function bench(invoke: (event: { now: string }) => Promise<{ done: boolean }>, firstCounts?: boolean) {
  const onFailed = vi.fn();
  const call = vi.fn(invoke);
  return {
    schedule: callAsTimePasses({
      ...{ everyMs: HOUR_MS, invoke: call, onFailed, pauseMs: 1 },
      ...(firstCounts === undefined ? {} : { firstCounts }),
    }),
    call,
    onFailed,
  };
}
const timesOf = (call: ReturnType<typeof bench>['call']) =>
  call.mock.calls.map(([{ now }]) => now.slice(11, 16));

describe('a schedule that follows the clock', () => {
  it('calls once for each hour that passes', async () => {
    const { schedule, call } = bench(async () => ({ done: true }));
    for (const time of ['00:00', '00:20', '00:59', '01:00', '01:20']) {
      schedule.passed(at(time));
      await schedule.settled();
    }
    expect(timesOf(call)).toEqual(['00:00', '01:00']);
  });

  it('waits for the first hour that passes, if that at the start does not count', async () => {
    const { schedule, call } = bench(async () => ({ done: true }), false);
    for (const time of ['00:20', '00:59', '01:00', '01:20', '02:00']) {
      schedule.passed(at(time));
      await schedule.settled();
    }
    expect(timesOf(call)).toEqual(['01:00', '02:00']);
  });

  it('calls once for the hours that pass while it is busy', async () => {
    const gate = Promise.withResolvers<void>();
    const { schedule, call } = bench(async () => {
      await gate.promise;
      return { done: true };
    });
    for (const time of ['00:00', '01:00', '02:00', '03:20']) schedule.passed(at(time));
    gate.resolve();
    await schedule.settled();
    expect(timesOf(call)).toEqual(['00:00', '03:20']);
  });

  it('calls again if a call ran out of time', async () => {
    let calls = 0;
    const { schedule, call } = bench(async () => {
      calls += 1;
      return { done: calls === 3 };
    });
    schedule.passed(at('05:00'));
    await schedule.settled();
    expect(call).toHaveBeenCalledTimes(3);
  });

  it('reports a failure, and leaves the hour to the next call', async () => {
    let fails = true;
    const { schedule, call, onFailed } = bench(async () => {
      if (fails) throw new Error('OpenSearch is unavailable');
      return { done: true };
    });
    schedule.passed(at('05:00'));
    await vi.waitFor(() => expect(onFailed).toHaveBeenCalledOnce());
    fails = false;
    schedule.passed(at('05:20'));
    await schedule.settled();
    expect(timesOf(call)).toEqual(['05:00', '05:20']);
  });

  it('fails at the end if hours are not summarised', async () => {
    const { schedule } = bench(async () => {
      throw new Error('OpenSearch is unavailable');
    });
    schedule.passed(at('05:00'));
    await expect(schedule.settled()).rejects.toThrow('OpenSearch is unavailable');
  });

  it('makes no calls after it was stopped', async () => {
    const { schedule, call } = bench(async () => ({ done: true }));
    await schedule.stop();
    schedule.passed(at('05:00'));
    await schedule.settled();
    expect(call).not.toHaveBeenCalled();
  });
});
