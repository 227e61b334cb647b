import type { PollReport } from '../../core/ingest/report.ts';
import { retryUntilAborted } from '../../core/runtime/retry.ts';
import type { KafkaBatchResponse } from '../../lambdas/index/handler.ts';
import { LambdaInvocationError } from '../lambda-host/errors.ts';
import { runSchedule } from '../schedule/schedule.ts';
import { replaySlots, type Slots, wallClockSlots } from '../schedule/slots.ts';
import type { Pipeline } from './pipeline.ts';
import { topicEnds } from './resources.ts';
import type { PolledSource } from './start-functions.ts';

/** A source has answered no poll since the start. */
export class SourceSilentError extends Error {
  override readonly name = 'SourceSilentError';
}

/** What a run has done so far, for the live view. */
export interface Progress {
  /** Polls whose tickers are all indexed. */
  polls: number;
  failedPolls: number;
  tickersFetched: number;
  rejected: number;
  produced: number;
  indexed: number;
  duplicatesRefused: number;
  deadLetters: number;
  /** Of each poll, from its begin until OpenSearch acknowledged its last ticker. */
  latenciesMs: number[];
  /** The last poll that is indexed. */
  last: PollReport | undefined;
  /** By source name, in the order of their first polls. */
  sources: Map<string, SourceProgress>;
  /** The last failure, until a poll succeeds. */
  failure: string | undefined;
}

/** The polls of one source. */
export interface SourceProgress {
  /** Polls whose tickers are all indexed. */
  polls: number;
  failedPolls: number;
  last: PollReport | undefined;
}

export function emptyProgress(): Progress {
  return {
    polls: 0,
    failedPolls: 0,
    tickersFetched: 0,
    rejected: 0,
    produced: 0,
    indexed: 0,
    duplicatesRefused: 0,
    deadLetters: 0,
    latenciesMs: [],
    last: undefined,
    sources: new Map(),
    failure: undefined,
  };
}

/** Counts the index function's answer for one batch. */
export function addIndexed(
  progress: Progress,
  { indexed, alreadyThere, deadLetters }: KafkaBatchResponse,
): void {
  progress.indexed += indexed;
  progress.duplicatesRefused += alreadyThere;
  progress.deadLetters += deadLetters;
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
    let lastSourceFailure: string | undefined;
    let answered = false;
    // Polls also fail while a store is unavailable; only a source that does not answer is an error.
    const judgeSilence = () => {
      if (answered || lastSourceFailure === undefined || Date.now() < silentUntilMs) return;
      const silence = `The source ${source.name} answered no poll within ${firstAnswerMs / 1_000} s.`;
      silent.abort(new SourceSilentError(`${silence} ${lastSourceFailure}`));
    };
    const silentUntilMs = Date.now() + firstAnswerMs;
    const silenceTimer = setTimeout(judgeSilence, firstAnswerMs);
    await runSchedule({
      slots: limited(slotsOf(options), () => options.polls === undefined || begunPolls < options.polls),
      invoke: (event) => source.poll(event),
      signal,
      async onPolled(report, startedMs) {
        answered = true;
        begunPolls += 1;
        progress.failure = undefined;
        const indexed = untilIndexed(pipeline, signal).then(() => {
          addPoll(progress, report, Date.now() - startedMs);
          pipeline.summaries.passed(Date.parse(report.slot));
          onChange({ kind: 'polled', report });
        });
        const settled = indexed.catch(() => {}).finally(() => pending.delete(settled));
        pending.add(settled);
        if (pending.size >= MAX_PENDING_POLLS) await Promise.race(pending);
      },
      onFailed(slot, error) {
        progress.failedPolls += 1;
        sourceProgress(progress, source.name).failedPolls += 1;
        progress.failure =
          error instanceof LambdaInvocationError ? error.errorMessage : String((error as Error).message);
        if (isSourceFailure(error)) lastSourceFailure = progress.failure;
        judgeSilence();
        onChange({ kind: 'failed', source: source.name, slot });
      },
    });
    clearTimeout(silenceTimer);
  };
  await Promise.all(pipeline.sources.map(pollSource));
  await Promise.all(pending);
  if (silent.signal.aborted) throw silent.signal.reason;
  if (!signal.aborted) await pipeline.summaries.settled();
  return { historyEnded: !signal.aborted && (options.polls === undefined || begunPolls < options.polls) };
}

function isSourceFailure(error: unknown): boolean {
  return error instanceof LambdaInvocationError && error.errorType === 'PollFailedError';
}

function sourceProgress({ sources }: Progress, name: string): SourceProgress {
  const known = sources.get(name) ?? { polls: 0, failedPolls: 0, last: undefined };
  sources.set(name, known);
  return known;
}

function addPoll(progress: Progress, report: PollReport, latencyMs: number): void {
  progress.polls += 1;
  progress.latenciesMs.push(latencyMs);
  progress.last = report;
  const source = sourceProgress(progress, report.source);
  source.polls += 1;
  source.last = report;
  progress.produced += report.produced;
  for (const { fetched, rejected } of report.categories) {
    progress.tickersFetched += fetched;
    progress.rejected += rejected;
  }
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
