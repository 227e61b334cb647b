import type { PollReport } from '../../core/ingest/report.ts';
import type { KafkaBatchResponse } from '../../lambdas/index/handler.ts';

/** What a run has done so far, for the live view. */
export type Progress = ReturnType<typeof emptyProgress>;

/** The polls of one source. */
export type SourceProgress = ReturnType<typeof noPolls>;

export function emptyProgress() {
  return {
    ...noPolls(),
    tickersFetched: 0,
    rejected: 0,
    produced: 0,
    indexed: 0,
    duplicatesRefused: 0,
    deadLetters: 0,
    /** Of each poll, from its start until OpenSearch acknowledged its last ticker. */
    latenciesMs: [] as number[],
    /** By source name, in the order of their first polls. */
    sources: new Map<string, SourceProgress>(),
    /** The last failure, until a poll succeeds. */
    failure: undefined as string | undefined,
  };
}

const noPolls = () => ({
  /** Polls whose tickers are all indexed. */
  polls: 0,
  failedPolls: 0,
  /** The last poll that is indexed. */
  last: undefined as PollReport | undefined,
});

/** Counts the index function's answer for one batch. */
export function addIndexed(
  progress: Progress,
  { indexed, alreadyThere, deadLetters }: KafkaBatchResponse,
): void {
  progress.indexed += indexed;
  progress.duplicatesRefused += alreadyThere;
  progress.deadLetters += deadLetters;
}

/** Counts a poll that is indexed. */
export function addPoll(progress: Progress, report: PollReport, latencyMs: number): void {
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

/** Counts a failed poll. */
export function addFailure(progress: Progress, source: string, message: string): void {
  progress.failedPolls += 1;
  sourceProgress(progress, source).failedPolls += 1;
  progress.failure = message;
}

function sourceProgress({ sources }: Progress, name: string): SourceProgress {
  const known = sources.get(name) ?? noPolls();
  sources.set(name, known);
  return known;
}
