import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dashboardsSpec } from '../../charts/dashboards-rendering.ts';
import { PICTURES } from '../../charts/pictures/all.ts';
import type { PictureAnswer } from '../../charts/questions.ts';
import { type Row, tableRows } from '../../charts/table-rows.ts';
import type { Answers, QuestionInput } from '../../core/insights/question.ts';
import { DAY_MS } from '../../core/market/time.ts';
import { profileSections } from '../../core/text/answers/profile-sections.ts';
import { priceFormat } from '../../core/text/format.ts';
import type { InsightsResponse } from '../../lambdas/insights/handler.ts';
import { columnWords, words } from '../../report/page/words.ts';
import { type ReportServer, startReportServer } from '../../report/server.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';
import { startInsights } from '../integration/lambdas/handlers.ts';
import { openSearch, services } from '../integration/services.ts';
import { drawBoard, type Panel, VERSIONS } from './board.ts';
import { openPage } from './browser.ts';
import { CHROMIUM_ARGUMENTS, findChromium } from './chromium.ts';
import { resolveQueries } from './like-dashboards.ts';
import { recordedMarket, storeMarket } from './recorded-market.ts';

const executablePath = findChromium();
const skipped = executablePath === undefined && !process.env.CI;

const BTC = 'recorded:spot:BTCUSD';
/** A full hour, so that every way has exactly the same window. */
const NOW = '2018-07-08T00:00:00.000Z';
const NOW_MS = Date.parse(NOW);
const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Of a command line without a pipeline of its own. */
const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-four-'));
const search = new OpenSearchSearch(openSearch, Number.POSITIVE_INFINITY);
let server: ReportServer;
let browser: Browser;
let page: Page;
let ask: (event: QuestionInput & { now?: string }) => Promise<InsightsResponse>;

beforeAll(async () => {
  if (skipped) return;
  await storeMarket(openSearch, await recordedMarket());
  ask = await startInsights();
  server = await startReportServer({
    openSearchUrl: services.openSearch,
    now: () => new Date(NOW),
    samplingIntervals: { 'recorded:spot': 900_000 },
  });
  browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_ARGUMENTS });
  ({ page } = await openPage(browser, `${server.url}#series=${BTC}&window=1y`));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
  await browser?.close();
  await server?.close();
  await openSearch.close();
});

/** The same question through the command line and the function, which must give the same answer. */
async function asked<Q extends keyof Answers>(
  line: string,
  question: QuestionInput & { question: Q },
): Promise<Answers[Q]> {
  const here = ['--at', NOW, '--json', '--opensearch', services.openSearch, '--folder', folder];
  const [{ stdout }, response] = await Promise.all([
    promisify(execFile)(process.execPath, [MAIN, 'insights', ...line.split(' '), ...here]),
    ask({ ...question, now: NOW }),
  ]);
  if (response.kind !== 'answer') throw new Error(JSON.stringify(response));
  expect(JSON.parse(stdout), line).toEqual(response.answer);
  return response.answer as Answers[Q];
}

/** The rows of charts as Dashboards draws them, over a year; the tables on the page have the same. */
async function inDashboards(...ids: string[]): Promise<Row[][]> {
  const found = PICTURES.flatMap((picture) => picture.charts.map((chart) => ({ picture, chart })));
  const charts = ids.flatMap((id) => found.filter(({ chart }) => chart.id === id));
  const exchange = { match_phrase: { exchange: 'recorded' } };
  const symbol = { match_phrase: { symbol: 'BTCUSD' } };
  const inputs = charts.map(async ({ picture, chart }) => ({
    id: chart.id,
    spec: await resolveQueries(
      dashboardsSpec(chart, picture),
      {
        ...{ fromMs: NOW_MS - 365 * DAY_MS, toMs: NOW_MS },
        filters: chart.ofOneCurrency ? [exchange, symbol] : [exchange],
      },
      (index, body) => search.search(index, body),
    ),
  }));
  const [shipped] = Object.values(VERSIONS);
  const board = await drawBoard(
    browser,
    shipped as (typeof VERSIONS)[keyof typeof VERSIONS],
    'light',
    await Promise.all(inputs),
  );
  const tables: Row[][] = [];
  for (const { chart } of charts) {
    const rowsOf = new Map<string, Row[]>();
    for (const layer of chart.table.layers)
      rowsOf.set(layer, await (board.panels[chart.id] as Panel).rows(layer));
    const rows = tableRows(chart, (layer) => rowsOf.get(layer) ?? []);
    const columns = chart.table.columns.map((column) => columnWords(column, rows));
    expect(await tableOnPage(chart.id), chart.id).toEqual(transposed(columns));
    tables.push(rows);
  }
  await board.page.close();
  return tables;
}

/** The cells of a chart's table on the page. */
async function tableOnPage(id: string): Promise<string[][]> {
  const figure = page.locator('figure', { has: page.locator(`#${id}-chart`) });
  await figure.locator('summary').click();
  await figure.locator('table').waitFor();
  return figure
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '')),
    );
}

const transposed = (columns: readonly (readonly string[])[]) =>
  (columns[0] ?? []).map((_, row) => columns.map((cells) => cells[row]));

const sumOf = (rows: readonly Row[], of: (row: Row) => number) => rows.reduce((sum, row) => sum + of(row), 0);

describe.skipIf(skipped)('the command line, the function, Dashboards and the report page', () => {
  // Eight commands, and every chart in a browser.
  it('give the same numbers', { timeout: 180_000 }, async () => {
    const symbol = BTC;
    const over = '1y';

    const average = await asked(`average ${BTC} --over 1y`, { question: 'average', symbol, over });
    const [periods = [], weeks = [], bands = [], bars = []] = await inDashboards(
      'average',
      'moves-per-week',
      'bands',
      'volatility',
    );
    const hours = sumOf(periods, (row) => Number(row.hours));
    expect(hours).toBe(average.hours);
    expect(sumOf(periods, (row) => Number(row.mean) * Number(row.hours)) / hours).toBeCloseTo(
      average.mean,
      6,
    );
    expect(Math.min(...periods.map((row) => Number(row.low)))).toBe(average.min);
    expect(Math.max(...periods.map((row) => Number(row.high)))).toBe(average.max);

    const moves = await asked(`moves ${BTC} --over 1y --horizon 1h,4h,24h,7d`, {
      ...{ question: 'moves', symbol, over },
      horizons: ['1h', '4h', '24h', '7d'],
    });
    const five = moves.thresholds.find(({ threshold }) => threshold === 0.05);
    for (const [direction, counted] of [
      ['Rises', five?.rises.count],
      ['Falls', five?.falls.count],
    ] as const) {
      const rows = weeks.filter((row) => (row.direction as string) === direction);
      expect(
        sumOf(rows, (row) => Number(row.count)),
        direction,
      ).toBe(counted);
    }

    const changes = await asked('percentiles --over 1y', { question: 'percentiles', over });
    for (const { series, percentiles } of changes.series) {
      const row = bands.find((each) => (each.series as string) === series);
      for (const [percent, value] of Object.entries(percentiles)) {
        expect(row?.[`p${percent}`], `${series} ${percent}`).toBeCloseTo(value, 6);
      }
    }

    const ranking = await asked('volatile --over 1y', { question: 'volatile', over });
    expect(bars.map((row) => row.series)).toEqual(ranking.series.map(({ series }) => series));
    for (const [index, { volatility, rangeFraction, coverage }] of ranking.series.entries()) {
      expect(bars[index]?.volatility).toBeCloseTo(volatility as number, 9);
      expect(bars[index]?.range).toBeCloseTo(rangeFraction, 12);
      expect(bars[index]?.coverage).toBeCloseTo(coverage, 3);
    }

    // Everything about one currency: of the page's server, the same answer; on the page, its words.
    const drawdown = await asked(`drawdown ${BTC} --over 1y`, { question: 'drawdown', symbol, over });
    const returns = await asked(`returns ${BTC} --by month`, { question: 'returns', symbol, by: 'month' });
    const correlation = await asked(`correlate ${BTC} ETHUSD XRPUSD ADAUSD --over 1y`, {
      ...{ question: 'correlate', over },
      symbols: [BTC, 'ETHUSD', 'XRPUSD', 'ADAUSD'],
    });
    const profile = await asked(`profile ${BTC} --over 1y`, { question: 'profile', symbol, over });
    expect({ ...profile.average, series: BTC, quote: 'USD' }).toEqual(average);
    expect({ ...profile.moves, series: BTC, quote: 'USD' }).toEqual(moves);
    expect({ ...profile.drawdown, series: BTC, quote: 'USD' }).toEqual(drawdown);
    expect(returns).toMatchObject(profile.returns);
    const url = new URL(`api/picture?picture=profile&series=${BTC}&window=1y`, server.url);
    const answered = (await (await fetch(url)).json()) as PictureAnswer;
    expect(answered.profile).toEqual(profile);
    const told = await page.locator('#profile .facts').textContent();
    for (const { facts, tables } of profileSections(profile)) {
      for (const fact of facts) expect(told).toContain(fact);
      for (const cell of tables.flatMap(({ rows }) => rows.flat())) expect(told).toContain(cell);
    }
    const worst = drawdown.worst.toSorted((a, b) => (a.troughTime < b.troughTime ? -1 : 1));
    expect(await tableOnPage('under-water')).toEqual(
      transposed([
        worst.map((one) => words(Date.parse(one.troughTime), 'time')),
        worst.map((one) => words(one.fraction, 'percent')),
        worst.map((one) => priceFormat(worst.map(({ troughPrice }) => troughPrice))(one.troughPrice)),
        worst.map((one) => priceFormat(worst.map(({ peakPrice }) => peakPrice))(one.peakPrice)),
        worst.map((one) => words(Date.parse(one.peakTime), 'time')),
        worst.map((one) => words(one.recoveredTime, 'time')),
      ]),
    );
    expect(await tableOnPage('month-returns')).toEqual(
      returns.periods.flatMap((one) =>
        one.return === null
          ? []
          : [[one.start.slice(0, 10), words(one.return, 'percent'), words(one.coverage, 'share')]],
      ),
    );
    const pairs = await tableOnPage('correlation-matrix');
    expect(pairs.slice(0, 4).map(([, other, pearson]) => [other, pearson])).toEqual(
      ['BTCUSD', 'ETHUSD', 'XRPUSD', 'ADAUSD'].map((name) => {
        const index = correlation.series.findIndex((series) => series.endsWith(name));
        return [name, words(correlation.pearson[0]?.[index], 'number')];
      }),
    );
  });
});
