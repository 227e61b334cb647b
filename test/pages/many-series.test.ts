import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboardsSpec } from '../../charts/dashboards-rendering.ts';
import { PICTURES } from '../../charts/pictures/all.ts';
import type { Row } from '../../charts/table-rows.ts';
import { type Answers, answer, type QuestionInput, questionSchema } from '../../core/insights/question.ts';
import type { Move } from '../../core/market/directional-change.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import { type ReportServer, startReportServer } from '../../report/server.ts';
import { OpenSearchBulk } from '../../stores/opensearch/bulk.ts';
import type { BulkAction } from '../../stores/opensearch/bulk-request.ts';
import { indexTemplates } from '../../stores/opensearch/index-templates.ts';
import { openSearchInsights } from '../../stores/opensearch/insights/stores.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';
import { openSearch, services } from '../integration/services.ts';
import { drawBoard, type Panel, VERSIONS } from './board.ts';
import { openPage, pickSeries } from './browser.ts';
import { CHROMIUM_ARGUMENTS, findChromium } from './chromium.ts';
import { resolveQueries } from './like-dashboards.ts';

const executablePath = findChromium();
const skipped = executablePath === undefined && !process.env.CI;

/** Of two exchanges: more than a composite aggregation returns at once. The wildest comes last by name. */
const SYMBOLS = 1_100;
const HOURS = [...Array(4).keys()];
const START_MS = Date.parse('2031-01-01T00:00:00Z');
const END_MS = START_MS + HOURS.length * HOUR_MS;
const WILDEST = 'zeta:linear:C1099USDT';
const search = new OpenSearchSearch(openSearch, Number.POSITIVE_INFINITY);
let browser: Browser;
let server: ReportServer;

/** How much the price of a symbol swings. */
const swing = (exchange: string, n: number) => (0.5 + n) * (exchange === 'zeta' ? 2e-5 : 1e-5);

function* documents(): Generator<BulkAction> {
  for (const exchange of ['alpha', 'zeta']) {
    for (let n = 0; n < SYMBOLS; n++) {
      const base = `C${String(n).padStart(4, '0')}`;
      const series = { v: 1, exchange, category: 'linear', symbol: `${base}USDT`, base, quote: 'USDT' };
      const size = swing(exchange, n);
      // Every 50th was listed just now, and swings more than any other.
      const hours = n % 50 === 7 ? HOURS.slice(-1) : HOURS;
      const wild = hours.length === HOURS.length ? size : 1;
      for (const hour of hours) {
        const start = new Date(START_MS + hour * HOUR_MS).toISOString();
        const log_return = (hour % 2 === 0 ? 1 : -1) * wild;
        const prices = { open: 1, high: 1 + wild, low: 1, close: 1, mean: 1 };
        const path = [[0, 1]];
        const candle = { ...series, start, hours: 1, ...prices, path, log_return, samples: 2, polls_due: 2 };
        yield stored('candles-2031', `${exchange}:${n}:${hour}`, candle);
        for (const half of [0, 1]) {
          const slot = new Date(START_MS + (hour + half / 2) * HOUR_MS).toISOString();
          const told = { last_price: 1, price_24h_pcnt: half * wild, turnover_24h: n };
          const tick = { ...series, slot, timestamp: slot, received_at: slot, ...told };
          yield stored('tickers-2031.01', `${exchange}:${n}:${hour}:${half}`, tick);
        }
      }
      // Of the alpha exchange's first 15, the rises and falls together make the order.
      if (exchange !== 'alpha' || n >= 15) continue;
      for (let move = 0; move < 20 + n; move++) {
        const at = new Date(START_MS + move).toISOString();
        const direction = (n % 2 === 0) === move < 18 ? 'rise' : 'fall';
        const { base: _, quote: __, ...of } = series;
        const prices = { from_price: 1, from_time: at, confirmed_price: 1, confirmed_time: at };
        yield stored('moves', `many:${n}:${move}`, { ...of, ...prices, threshold: 0.05, direction } as Move);
      }
    }
  }
}

function stored(index: string, id: string, source: object): BulkAction {
  return { kind: 'index', index, id, source: JSON.stringify(source) };
}

async function inDashboards(...ids: string[]): Promise<Record<string, Row[]>> {
  const context = { fromMs: START_MS, toMs: END_MS - 1, filters: [] };
  const charts = PICTURES.flatMap((picture) =>
    picture.charts.filter(({ id }) => ids.includes(id)).map((chart) => ({ picture, chart })),
  );
  const inputs = charts.map(async ({ picture, chart }) => ({
    id: chart.id,
    spec: await resolveQueries(dashboardsSpec(chart, picture), context, (index, body) =>
      search.search(index, body),
    ),
  }));
  const [shipped] = Object.values(VERSIONS) as [(typeof VERSIONS)[keyof typeof VERSIONS]];
  const { page, panels } = await drawBoard(browser, shipped, 'light', await Promise.all(inputs));
  const tables = charts.map(async ({ chart }): Promise<[string, Row[]]> => {
    const [layer = ''] = chart.table.layers;
    const rows = await (panels[chart.id] as Panel).rows(layer);
    return [chart.id, rows.sort((a, b) => Number(a.rank) - Number(b.rank))];
  });
  const found = Object.fromEntries(await Promise.all(tables));
  await page.close();
  return found;
}

async function ask<Q extends keyof Answers>(question: QuestionInput & { question: Q }): Promise<Answers[Q]> {
  const window = { from: new Date(START_MS).toISOString(), to: new Date(END_MS).toISOString() };
  const parsed = questionSchema.parse({ ...question, ...window });
  const intervals = { 'alpha:linear': HOUR_MS / 2, 'zeta:linear': HOUR_MS / 2 };
  return (await answer(parsed, END_MS, openSearchInsights(search), intervals)) as Answers[Q];
}

const names = (rows: readonly { series?: unknown }[] | undefined) => rows?.map(({ series }) => series);

describe.skipIf(skipped)('with 2,200 series', () => {
  beforeAll(async () => {
    const templates = indexTemplates({ shards: 3, replicas: 0, refreshInterval: '1s' });
    for (const [name, body] of Object.entries(templates)) {
      await openSearch.indices.putIndexTemplate({ name, body });
    }
    const outcomes = await new OpenSearchBulk(openSearch).write([...documents()], Date.now() + 170_000);
    expect(outcomes.find(({ kind }) => kind !== 'stored')).toBeUndefined();
    await openSearch.indices.refresh({ index: 'tickers-*,candles-*,moves' });
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_ARGUMENTS });
    server = await startReportServer({
      openSearchUrl: services.openSearch,
      now: () => new Date(END_MS - 1),
      samplingIntervals: {},
    });
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await openSearch.indices.delete({ index: 'candles-2031,tickers-2031.01' });
    await openSearch.deleteByQuery({
      index: 'moves*',
      refresh: true,
      body: { query: { term: { exchange: 'alpha' } } },
    });
    await openSearch.close();
  });

  it('rankings are those of insights, of all shards, and leave out what was listed just now', async () => {
    const [drawn, volatile, percentiles] = await Promise.all([
      inDashboards('volatility', 'bands', 'moves-by-currency'),
      ask({ question: 'volatile', top: 25 }),
      ask({ question: 'percentiles', top: 10 }),
    ]);
    expect(volatile.series[0]?.series).toBe(WILDEST);
    expect(names(drawn.volatility)).toEqual(names(volatile.series));
    for (const [index, { volatility, coverage }] of volatile.series.entries()) {
      expect(drawn.volatility?.[index]?.volatility).toBeCloseTo(volatility as number, 9);
      expect(drawn.volatility?.[index]?.coverage).toBe(coverage);
    }
    expect(names(drawn.bands)).toEqual(names(percentiles.series));
    for (const [index, { samples, percentiles: values }] of percentiles.series.entries()) {
      expect(drawn.bands?.[index]).toMatchObject({ samples, p99: values['99'] });
    }
    const moves = Map.groupBy(drawn['moves-by-currency'] ?? [], ({ series }) => series as string);
    expect(
      [...moves].map(([series, of]) => [series, of.reduce((sum, row) => sum + Number(row.count), 0)]),
    ).toEqual(
      [...Array(10).keys()].map((place) => [
        `alpha:linear:C00${14 - place}USDT`.replace(/C00(\d)U/, 'C000$1U'),
        34 - place,
      ]),
    );
  });

  it('the page finds a series by a search on its server, and ranks as Dashboards does', async () => {
    const { page, faults } = await openPage(browser, server.url);
    // By turnover.
    expect(await page.locator('#summary h2').innerText()).toBe('C1099USDT · alpha linear');
    const box = page.getByRole('combobox', { name: 'Currency' });
    await box.click();
    // Other tests may have left some more.
    await page.getByText(/^The 50 with the highest turnover of 2,2\d\d\./).waitFor();
    expect(await page.locator('#currency-list li').count()).toBe(50);
    await box.fill('0042');
    await expect
      .poll(() => page.locator('#currency-list li').allInnerTexts())
      .toEqual(['C0042USDT · alpha linear', 'C0042USDT · zeta linear']);
    await box.press('ArrowDown');
    expect(await box.getAttribute('aria-activedescendant')).toBe('currency-1');
    await box.press('Enter');
    await page.getByText('Showing C0042USDT · zeta linear').waitFor({ state: 'attached' });
    expect(await box.inputValue()).toBe('C0042USDT · zeta linear');
    await pickSeries(page, 'zeta c1034');
    await page.getByText('Showing C1034USDT · zeta linear').waitFor({ state: 'attached' });
    await box.fill('nothing like it');
    await page.getByText('Nothing is called that.').waitFor();
    await box.press('Escape');
    expect(await box.inputValue()).toBe('C1034USDT · zeta linear');
    const first = page.locator('#volatility-ranking .role-mark text').first();
    expect(await first.isVisible()).toBe(true);
    await page.locator('#volatility-ranking summary').click();
    expect(await page.locator('#volatility-ranking tbody tr').first().innerText()).toContain(
      'C1099USDT · zeta linear',
    );
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
