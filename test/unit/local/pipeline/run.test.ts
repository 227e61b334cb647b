import { describe, expect, it } from 'vitest';
import type { PollReport } from '../../../../core/ingest/report.ts';
import { LambdaInvocationError } from '../../../../local/lambda-host/errors.ts';
import type { Pipeline } from '../../../../local/pipeline/pipeline.ts';
import { emptyProgress } from '../../../../local/pipeline/progress.ts';
import { type RunOptions, runPolls, SourceSilentError } from '../../../../local/pipeline/run.ts';

const report = (slot: string): PollReport => ({
  source: 'test',
  exchange: 'test',
  slot,
  categories: [{ category: 'spot', status: 'polled', fetched: 3, rejected: 1 }],
  lakeBytes: 100,
  produced: 3,
  backlogBatches: 0,
  waitingBatches: 0,
});

/** A pipeline with these polls and an index that keeps up at once. */
function pipelineThat(poll: (slot: string) => Promise<PollReport>): Pipeline {
  return {
    replay: undefined,
    admin: { fetchTopicOffsets: async () => [{ partition: 0, high: '3', low: '0', offset: '3' }] },
    eventSource: { waitUntil: async () => {} },
    schedules: { passed: () => {}, settled: async () => {} },
    sources: [{ name: 'test', poll: ({ slot }: { slot: string }) => poll(slot) }],
  } as unknown as Pipeline;
}

const sourceFailure = () =>
  Promise.reject(
    new LambdaInvocationError('ingest', {
      errorType: 'PollFailedError',
      errorMessage: 'the exchange is down',
      trace: [],
    }),
  );

describe('a run of polls', () => {
  const run = (pipeline: Pipeline, options: Partial<RunOptions> = {}) => {
    const progress = emptyProgress();
    const outcome = runPolls({
      pipeline,
      progress,
      intervalMs: 1,
      signal: new AbortController().signal,
      onChange: () => {},
      ...options,
    });
    outcome.catch(() => {});
    return { progress, outcome };
  };
  it('ends after this many indexed polls, and counts their tickers', async () => {
    const { progress, outcome } = run(
      pipelineThat(async (slot) => report(slot)),
      { polls: 3, intervalMs: 1 },
    );
    await expect(outcome).resolves.toEqual({ historyEnded: false });
    expect(progress).toMatchObject({ polls: 3, tickersFetched: 9, rejected: 3, produced: 9, failedPolls: 0 });
  });

  it('does not count a failed poll', async () => {
    let calls = 0;
    const pipeline = pipelineThat((slot) =>
      ++calls === 1 ? sourceFailure() : Promise.resolve(report(slot)),
    );
    const { progress, outcome } = run(pipeline, { polls: 1 });
    await outcome;
    expect(progress).toMatchObject({ polls: 1, failedPolls: 1, failure: undefined });
  });

  it('fails with the last error if the source does not answer from the start', async () => {
    const { outcome } = run(pipelineThat(sourceFailure), { firstAnswerMs: 20 });
    await expect(outcome).rejects.toThrow(SourceSilentError);
    await expect(outcome).rejects.toThrow('the exchange is down');
  });

  it('tolerates a store that is unavailable at the start', async () => {
    let calls = 0;
    const pipeline = pipelineThat((slot) =>
      ++calls < 3 ? Promise.reject(new Error('the lake is unavailable')) : Promise.resolve(report(slot)),
    );
    const { progress, outcome } = run(pipeline, { polls: 1, firstAnswerMs: 20 });
    await outcome;
    expect(progress.failedPolls).toBe(2);
  });

  it('ends when the signal aborts', async () => {
    const end = new AbortController();
    const { outcome } = run(
      pipelineThat(async (slot) => report(slot)),
      {
        signal: end.signal,
        onChange: () => end.abort(),
      },
    );
    await expect(outcome).resolves.toEqual({ historyEnded: false });
  });
});
