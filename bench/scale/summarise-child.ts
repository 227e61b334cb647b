import type { SummariseAnswer } from '../../lambdas/summarise/handler.ts';
import { setEnvironment } from '../functions.ts';

/** What a run of summarise took. */
export interface RunFigures {
  seconds: number;
  /** CPU time of this process. */
  cpuSeconds: number;
  /** The most memory this process ever had, as the operating system counts it. */
  peakMb: number;
  report: SummariseAnswer;
}

/** Runs the summarise function in a process of its own, once for each `now`, and reports what each run took. */
const [openSearch = '', ...times] = process.argv.slice(2);
// It needs no lake, but the environment of every function names one.
setEnvironment({ openSearch, s3: openSearch }, 'bench', {
  SAMPLING_INTERVALS: '{"default":120000}',
  TICK_RETENTION_DAYS: 'never',
});
const { handler } = await import('../../lambdas/summarise/handler.ts');
for (const now of times) {
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const endMs = Date.now() + 3_600_000;
  const report = await handler({ now }, { getRemainingTimeInMillis: () => endMs - Date.now() } as Parameters<
    typeof handler
  >[1]);
  const { user, system } = process.cpuUsage(startedCpu);
  const figures: RunFigures = {
    seconds: (performance.now() - startedMs) / 1_000,
    cpuSeconds: (user + system) / 1e6,
    peakMb: process.resourceUsage().maxRSS / 1_000,
    report,
  };
  process.send?.(figures);
}
process.disconnect?.();
process.exit();
