import type { PollReport } from '../../core/ingest/report.ts';
import { retryUntilAborted } from '../../core/runtime/retry.ts';
import { LambdaInvocationError } from '../lambda-host/errors.ts';
import { runSchedule } from '../schedule/schedule.ts';
import { replaySlots, type Slots, wallClockSlots } from '../schedule/slots.ts';
import type { Pipeline } from './pipeline.ts';
import { addFailure, addPoll, type Progress } from './progress.ts';
import { topicEnds } from './resources.ts';
import type { PolledSource } from './start-functions.ts';

/** A source has answered no poll since the start. */
export class SourceSilentError extends Error {
  override readonly name = 'SourceSilentError';
}

export interface RunOptions {
  pipeline: Pipeline;
  progress: Progress;
  intervalMs: number;
  /** Ends the run after this many indexed polls. @default never */
  polls?: number | undefined;
  signal: AbortSignal;
  /** How long a source may take to answer its first poll; later outages are tolerated. @default 30,000 */
  firstAnswerMs?: number;
  /** Called when a poll is indexed or has failed. */
  onChange: (
    change: { kind: 'polled'; report: PollReport } | { kind: 'failed'; source: string; slot: string },
  ) => void;
}

/** Polls that may wait for the index at once; more would only run ahead of a slow OpenSearch. */
const MAX_PENDING_POLLS = 50;

/**
 * Polls all sources side by side, slot after slot, until together they reach the count, the history ends or the signal
 * aborts.
 * @returns whether the replayed history has ended
 * @throws SourceSilentError
 */
export async function runPolls(options: RunOptions): Promise<{ historyEnded: boolean }> {
  const { pipeline, progress, onChange, firstAnswerMs = 30_000 } = options;
  const silent = new AbortController();
  const signal = AbortSignal.any([options.signal, silent.signal]);
  let begunPolls = 0;
  const pending = new Set<Promise<void>>();

  const pollSource = async (source: PolledSource) => {
    const silence = watchForSilence(source.name, firstAnswerMs, (error) => silent.abort(error));
    await runSchedule({
      slots: limited(slotsOf(options), () => options.polls === undefined || begunPolls < options.polls),
      invoke: (event) => source.poll(event),
      signal,
      async onPolled(report, startedMs) {
        silence.answered();
        begunPolls += 1;
        progress.failure = undefined;
        const indexed = untilIndexed(pipeline, signal).then(() => {
          addPoll(progress, report, Date.now() - startedMs);
          pipeline.schedules.passed(Date.parse(report.slot));
          onChange({ kind: 'polled', report });
        });
        const settled = indexed.catch(() => {}).finally(() => pending.delete(settled));
        pending.add(settled);
        if (pending.size >= MAX_PENDING_POLLS) await Promise.race(pending);
      },
      onFailed(slot, error) {
        addFailure(progress, source.name, messageOf(error));
        if (isSourceFailure(error)) silence.failed(messageOf(error));
        onChange({ kind: 'failed', source: source.name, slot });
      },
    });
    silence.stop();
  };
  await Promise.all(pipeline.sources.map(pollSource));
  await Promise.all(pending);
  if (silent.signal.aborted) throw silent.signal.reason;
  if (!signal.aborted) await pipeline.schedules.settled();
  return { historyEnded: !signal.aborted && (options.polls === undefined || begunPolls < options.polls) };
}

/** Reports a source that fails from the start. A source that was only kept waiting by a store is not reported. */
function watchForSilence(
  source: string,
  firstAnswerMs: number,
  onSilent: (error: SourceSilentError) => void,
) {
  const startedMs = Date.now();
  let lastFailure: string | undefined;
  let answered = false;
  const judge = () => {
    if (answered || lastFailure === undefined || Date.now() < startedMs + firstAnswerMs) return;
    const silence = `The source ${source} answered no poll within ${firstAnswerMs / 1_000} s.`;
    onSilent(new SourceSilentError(`${silence} ${lastFailure}`));
  };
  const timer = setTimeout(judge, firstAnswerMs);
  return {
    answered() {
      answered = true;
    },
    failed(message: string) {
      lastFailure = message;
      judge();
    },
    stop: () => clearTimeout(timer),
  };
}

function messageOf(error: unknown): string {
  return error instanceof LambdaInvocationError ? error.errorMessage : String((error as Error).message);
}

function isSourceFailure(error: unknown): boolean {
  return error instanceof LambdaInvocationError && error.errorType === 'PollFailedError';
}

function slotsOf({ pipeline, intervalMs }: RunOptions): Slots {
  const { replay } = pipeline;
  return replay ? replaySlots(replay.market, replay.clock, intervalMs) : wallClockSlots(intervalMs);
}

/** The same slots, as long as `more` returns true. */
function limited(slots: Slots, more: () => boolean): Slots {
  return { ...slots, next: () => (more() ? slots.next() : undefined) };
}

/** Waits until every record now on the topic is handled, even through outages of the brokers. */
async function untilIndexed({ admin, eventSource }: Pipeline, signal: AbortSignal): Promise<void> {
  const ends = await retryUntilAborted(signal, () => topicEnds(admin));
  await eventSource.waitUntil(ends, signal);
}
