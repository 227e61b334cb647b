import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DAY_MS } from '../../core/market/time.ts';
import { ensureArtifacts } from '../../local/engines/artifacts.ts';
import { findJdk } from '../../local/engines/jdk.ts';
import { startOpenSearch } from '../../local/engines/opensearch.ts';
import { anyFreePort } from '../../local/engines/ports.ts';
import { INDEX_SETTINGS } from '../../local/pipeline/resources.ts';
import { createOpenSearch } from '../../stores/opensearch/client.ts';
import { indexTemplates } from '../../stores/opensearch/index-templates.ts';
import { type ScaleFigures, writeFigures } from '../scale/figures.ts';
import { generatedSeries } from '../scale/market.ts';
import { measurePolls } from '../scale/polls.ts';
import { loadWeek, measureQuestions } from '../scale/questions.ts';
import { measureSummaries } from '../scale/summaries.ts';
import { type BenchContext, resultOf, type Target, type TargetResult } from '../target.ts';

const HEAP_MB = 2_048;
/** After the week that questions are asked about. */
const START_MS = Date.parse('2026-02-01T00:00:00Z');

/** How many series, and how many hours of them are caught up with: 24 million ticks would take an hour to load. */
const SIZES = [
  { series: 1_700, hours: 48 },
  { series: 17_000, hours: 5 },
];

/** One exchange like Bybit and ten of them, on one OpenSearch with 2 GB of heap, each fresh. */
export const scale: Target = async (context) => {
  const figures: ScaleFigures[] = [];
  for (const { series, hours } of SIZES) {
    figures.push(await measure(series, hours, context));
    writeFigures(figures);
  }
  return resultsOf(figures);
};

async function measure(
  count: number,
  hours: number,
  { folder, rounds, urls, say }: BenchContext,
): Promise<ScaleFigures> {
  const jdk = await findJdk();
  const jars = await ensureArtifacts({ folder: '.local/engines', jdk });
  const home = join(folder, `scale-${count}`);
  mkdirSync(home, { recursive: true });
  const engine = await startOpenSearch({
    jdk,
    jars,
    folder: home,
    port: await anyFreePort(),
    heapMb: HEAP_MB,
  });
  const openSearch = createOpenSearch(engine.url);
  try {
    for (const [name, body] of Object.entries(indexTemplates(INDEX_SETTINGS))) {
      await openSearch.indices.putIndexTemplate({ name, body });
    }
    const series = generatedSeries(count);
    const summaries = await measureSummaries(engine.url, series, START_MS, hours);
    say(`scale, ${count} series: ${JSON.stringify(summaries)}`);
    // The week ends a month before, so that the hours summarised here are not part of it.
    const weekEndMs = START_MS - 30 * DAY_MS;
    await loadWeek(engine.url, series, weekEndMs);
    const questions = await measureQuestions(openSearch, engine.url, series, weekEndMs, rounds);
    say(`scale, ${count} series: ${JSON.stringify(questions)}`);
    const polls = await measurePolls(
      openSearch,
      { ...urls, openSearch: engine.url },
      series,
      START_MS + 30 * DAY_MS,
    );
    say(`scale, ${count} series: ${JSON.stringify(polls)}`);
    return { series: count, ...summaries, ...questions, ...polls };
  } finally {
    await openSearch.close();
    await engine.stop();
  }
}

function resultsOf(figures: readonly ScaleFigures[]): TargetResult[] {
  const [small, large] = [figures[0], figures.at(-1)];
  if (!small || !large) return [];
  const times = large.series / small.series;
  const both = (of: (each: ScaleFigures) => number) =>
    figures.map((each) => of(each).toPrecision(3)).join(', ');
  const growth = (name: string, of: (each: ScaleFigures) => number) =>
    resultOf(
      `${name}: ${times} × the series`,
      [of(large) / of(small)],
      { atMost: times },
      { unit: '×', note: both(of) },
    );
  const most = (name: string, of: (each: ScaleFigures) => number, atMost: number, unit: string) =>
    resultOf(name, [Math.max(...figures.map(of))], { atMost }, { unit, note: both(of) });
  return [
    growth('seconds to summarise an hour', ({ hourSeconds }) => hourSeconds),
    growth(
      'seconds to catch up, an hour',
      ({ catchUpSeconds, catchUpHours }) => catchUpSeconds / catchUpHours,
    ),
    most('memory to summarise an hour', ({ hourPeakMb }) => hourPeakMb, 350, 'MB'),
    most('memory to catch up', ({ catchUpPeakMb }) => catchUpPeakMb, 350, 'MB'),
    most('nothing late', ({ nothingLateSeconds }) => nothingLateSeconds, 2, 's'),
    most('volatile --top 10 over 7 d, p95', ({ volatileP95Ms }) => volatileP95Ms, 3_000, 'ms'),
    most('series, p95', ({ seriesP95Ms }) => seriesP95Ms, 3_000, 'ms'),
    most('percentiles --top 10 over 7 d, p95', ({ percentilesP95Ms }) => percentilesP95Ms, 3_000, 'ms'),
    most('one slot of all sources → searchable', ({ slotSeconds }) => slotSeconds, 60, 's'),
    resultOf(
      `CPU a ticker: ${times} × the series`,
      [large.slotCpuSecondsPer1000 / small.slotCpuSecondsPer1000],
      { atMost: 1.2 },
      { unit: '×', note: both(({ slotCpuSecondsPer1000 }) => slotCpuSecondsPer1000) },
    ),
  ];
}
