import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/market/time.ts';
import type { FormatName } from './formats.ts';

/** The choices of `--step`: what each row covers, in ms. */
export const STEPS = {
  hourly: HOUR_MS,
  daily: DAY_MS,
  '1m': MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
} as const;
export type StepChoice = keyof typeof STEPS;

export interface HistoryOptions {
  /** Paths, folders and patterns. */
  files: readonly string[];
  /** @default each file is recognised */
  format?: FormatName | undefined;
  /** Of files that do not name it. */
  symbol?: string | undefined;
  /** The quote currency, of files that do not name it. */
  quote?: string | undefined;
  /** What each row covers. @default detected for each symbol */
  step?: StepChoice | undefined;
  /** Rows may not be later than this; epoch ms. */
  nowMs: number;
  /** Where rows are kept meanwhile: about as much as the files take. @default the system's folder */
  scratch?: string | undefined;
  /** How far reading has come, from 0 to 1. */
  onProgress?: (fraction: number) => void;
}
