import type { SourceConfig } from '../../exchanges/source-config.ts';
import type { KafkaBatchResponse } from '../../lambdas/index/handler.ts';
import type { ServiceName } from '../engines/engines.ts';
import type { EngineName } from '../engines/jar-list.ts';

/** A source that is polled in real time. */
export interface WallClockSource {
  config: SourceConfig;
  /** A server with the exchange's API. @default the exchange itself */
  url: string | undefined;
}

export interface PipelineOptions {
  /** Holds all data, logs and state, e.g. `.local`. */
  folder: string;
  /** Where the tickers come from: the market replay of the bundled history, or these sources. */
  sources: 'replay' | readonly WallClockSource[];
  /** Between two polls of each source. */
  intervalMs: number;
  /** Servers to use instead of starting an engine. */
  servers: { [N in ServiceName]?: string | undefined };
  /** Ports that must be used. */
  ports: { [N in EngineName | 'source']?: number | undefined };
}

export interface PipelineHooks {
  /** Runs a step of the start, and shows it. */
  step<T>(title: string, work: (progress: StepProgress) => Promise<T>): Promise<T>;
  /** Called with the index function's answer for each batch. */
  onIndexed(response: KafkaBatchResponse): void;
  /** An engine that we started ended unexpectedly. */
  onEngineDied(error: Error): void;
  /** Cancels the start. */
  signal: AbortSignal;
}

export interface StepProgress {
  /** The step's result, shown beside its title. */
  note(text: string): void;
  /** How far the step is, from 0 to 1, and what it is doing. */
  progress(fraction: number, text: string): void;
}
