import { mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/market/time.ts';
import { ensureArtifacts } from '../../local/engines/artifacts.ts';
import { findJdk } from '../../local/engines/jdk.ts';
import { startOpenSearch } from '../../local/engines/opensearch.ts';
import { anyFreePort } from '../../local/engines/ports.ts';
import { INDEX_SETTINGS } from '../../local/pipeline/resources.ts';
import { createOpenSearch } from '../../stores/opensearch/client.ts';
import { indexTemplates } from '../../stores/opensearch/index-templates.ts';
import { growthOf, type ScaleFigures, writeGrowth } from '../scale/figures.ts';
import { measureFirstPicture } from '../scale/first-picture.ts';
import { generatedSeries, SERIES_PER_EXCHANGE } from '../scale/market.ts';
import { measurePolls } from '../scale/polls.ts';
import { loadWeek, measureQuestions } from '../scale/questions.ts';
import { measureSummaries, TICKS_AN_HOUR } from '../scale/summaries.ts';
import { type BenchContext, resultOf, type Target, type TargetResult } from '../target.ts';

const HEAP_MB = 2_048;
/** After the week that questions are asked about. */
const START_MS = Date.parse('2026-02-01T00:00:00Z');

/** How many series, and how many hours of them are caught up with: 48 hours of all 17,000 would take half an hour to load. */
const SIZES = [
  { series: 1_700, hours: 48 },
  { series: 17_000, hours: 4 },
];

/** One exchange like Bybit and ten of them, on one OpenSearch with 2 GB of heap, each fresh. */
export const scale: Target = async (context) => {
  const figures: ScaleFigures[] = [];
  // The functions read where OpenSearch is only once, so both have the same port.
  const port = await anyFreePort();
  for (const { series, hours } of SIZES) figures.push(await measure(series, hours, port, context));
  const [cpu] = cpus();
  writeGrowth(growthOf(figures, `${cpus().length} × ${cpu?.model.trim()}, load ${loadavg()[2]?.toFixed(1)}`));
  context.say(
    'scale: bench/scale/figures.json is written; "npm run scale -- --write-docs" puts it into docs/scale.md',
  );
  return resultsOf(figures);
};

async function measure(
  count: number,
  hours: number,
  port: number,
  { folder, rounds, urls, say }: BenchContext,
): Promise<ScaleFigures> {
  const jdk = await findJdk();
  const jars = await ensureArtifacts({ folder: '.local/engines', jdk });
  const home = join(folder, `scale-${count}`);
  mkdirSync(home, { recursive: true });
  const engine = await startOpenSearch({ jdk, jars, folder: home, port, heapMb: HEAP_MB });
  const openSearch = createOpenSearch(engine.url);
  const startedMs = performance.now();
  const report = <Part>(part: Part): Part => {
    const minutes = ((performance.now() - startedMs) / MINUTE_MS).toFixed(1);
    say(`scale, ${count} series, after ${minutes} min: ${JSON.stringify(part)}`);
    return part;
  };
  const putTemplates = async (refreshInterval: string) => {
    for (const [name, body] of Object.entries(indexTemplates({ ...INDEX_SETTINGS, refreshInterval }))) {
      await openSearch.indices.putIndexTemplate({ name, body });
    }
  };
  try {
    // As in a domain; it makes loading faster.
    await putTemplates('30s');
    const series = generatedSeries(count);
    const summaries = report(await measureSummaries(engine.url, series, START_MS, hours));
    // The week ends a month before, so that the hours summarised here are not part of it.
    const openMs = START_MS - 30 * DAY_MS;
    await loadWeek(engine.url, series, openMs);
    report('a week is loaded');
    const toMs = START_MS + hours * HOUR_MS;
    const many = { fromMs: START_MS, toMs, ticks: hours * TICKS_AN_HOUR };
    const questions = report(await measureQuestions(openSearch, engine.url, series, openMs, many, rounds));
    const page = report(await measureFirstPicture(engine.url, openMs + 30 * MINUTE_MS));
    // Of another month, so in a new index.
    await putTemplates(INDEX_SETTINGS.refreshInterval);
    const polls = report(
      await measurePolls(
        openSearch,
        { ...urls, openSearch: engine.url },
        Math.ceil(count / SERIES_PER_EXCHANGE),
        START_MS + 30 * DAY_MS,
      ),
    );
    return { series: count, ...summaries, ...questions, ...page, ...polls };
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
    most('volatile --top 10 over 7 d, p95', ({ volatile }) => volatile.p95Ms, 3_000, 'ms'),
    most('series, p95', ({ known }) => known.p95Ms, 3_000, 'ms'),
    most('percentiles --top 10 over 7 d, p95', ({ percentiles }) => percentiles.p95Ms, 3_000, 'ms'),
    most('one slot of all sources → searchable', ({ slotSeconds }) => slotSeconds, 120, 's'),
    most('data of the first picture', ({ firstPictureMs }) => firstPictureMs, 2_000, 'ms'),
    resultOf(
      `CPU a ticker: ${times} × the series`,
      [large.slotCpuSecondsPer1000 / small.slotCpuSecondsPer1000],
      { atMost: 1.2 },
      { unit: '×', note: both(({ slotCpuSecondsPer1000 }) => slotCpuSecondsPer1000) },
    ),
  ];
}
