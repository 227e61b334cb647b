import type { PollReport } from '../../core/ingest/report.ts';
import type { KafkaBatchResponse } from '../../lambdas/index/handler.ts';
import { LambdaInvocationError } from '../lambda-host/errors.ts';
import { runSchedule } from '../schedule/schedule.ts';
import { replaySlots, type Slots, wallClockSlots } from '../schedule/slots.ts';
import type { Pipeline, PolledSource } from './pipeline.ts';
import { TOPIC, untilItWorks } from './resources.ts';

/** The source answered no poll since the start. */
export class SourceSilentError extends Error {
  override readonly name = 'SourceSilentError';
}

/** What a run has done so far; what the live view shows. */
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
  /** Poll begun → its last ticker acknowledged by OpenSearch, of each poll. */
  latenciesMs: number[];
  /** The last poll that is done. */
  last: PollReport | undefined;
  /** By the source's name, in the order of their first polls. */
  sources: Map<string, SourceProgress>;
  /** The last failure, until a poll succeeds. */
  failure: string | undefined;
}

/** What became of one source's polls. */
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

/** Adds what the index function did with one batch. */
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
  /** Ends the run when so many polls are indexed. @default never */
  polls?: number | undefined;
  signal: AbortSignal;
  /** A source that answers no poll for so long at the start is an error; later outages are ridden out. @default 30,000 */
  firstAnswerMs?: number;
  /** A poll is indexed, or one has failed. */
  onChange: (
    change: { kind: 'polled'; report: PollReport } | { kind: 'failed'; source: string; slot: string },
  ) => void;
}

/** Polls that may be on their way to the index at once; more would only run ahead of an ill OpenSearch. */
const MAX_POLLS_UNDER_WAY = 50;

/**
 * Polls each source slot after slot, side by side, until the count is reached (by all of them together), the history
 * ends or the signal aborts.
 * @returns whether the replayed history has ended
 * @throws SourceSilentError
 */
export async function runPolls(options: RunOptions): Promise<{ historyEnded: boolean }> {
  const { pipeline, progress, onChange, firstAnswerMs = 30_000 } = options;
  const silent = new AbortController();
  const signal = AbortSignal.any([options.signal, silent.signal]);
  let begunPolls = 0;
  const underWay = new Set<Promise<void>>();

  const pollSource = async (source: PolledSource) => {
    let lastSourceFailure: string | undefined;
    let answered = false;
    // A store that is away keeps polls from succeeding, too; only the source's own silence is an error.
    const judgeSilence = () => {
      if (answered || lastSourceFailure === undefined || Date.now() < silentUntilMs) return;
      const silence = `The source ${source.name} answered no poll in the first ${firstAnswerMs / 1_000} s.`;
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
        const settled = indexed.catch(() => {}).finally(() => underWay.delete(settled));
        underWay.add(settled);
        if (underWay.size >= MAX_POLLS_UNDER_WAY) await Promise.race(underWay);
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
  await Promise.all(underWay);
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

/** The same slots, until `more` says no. */
function limited(slots: Slots, more: () => boolean): Slots {
  return { ...slots, next: () => (more() ? slots.next() : undefined) };
}

/** Waits until everything that lies on the topic now is handled, through any outage of the brokers. */
async function untilIndexed({ admin, eventSource }: Pipeline, signal: AbortSignal): Promise<void> {
  const ends = await untilItWorks(() => admin.fetchTopicOffsets(TOPIC), {
    service: 'Kafka',
    patienceMs: Number.POSITIVE_INFINITY,
    signal,
  });
  await eventSource.waitUntil(
    Object.fromEntries(ends.map(({ partition, high }) => [partition, BigInt(high)])),
    signal,
  );
}
