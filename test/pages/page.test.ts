import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PAGE_PICTURES } from '../../charts/pictures/all.ts';
import type { ReportStore } from '../../charts/report-store.ts';
import { type ReportEvent, type ReportOutput, reportSlice } from '../../lambdas/insights/report.ts';
import { pageHtml } from '../../report/html.ts';
import { type ReportServer, startReportServer } from '../../report/server.ts';
import { OpenSearchSeries } from '../../stores/opensearch/insights/series.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';
import { openSearch, services } from '../integration/services.ts';
import { expectAllDrawn, openPage, PAGE_CHARTS, pickSeries, svgOf, type Visit } from './browser.ts';
import { CHROMIUM_ARGUMENTS, findChromium } from './chromium.ts';
import { type RecordedMarket, recordedMarket, storeMarket } from './recorded-market.ts';

const executablePath = findChromium();
const skipped = executablePath === undefined && !process.env.CI;
if (skipped)
  console.warn(
    'The report page is not tested in a browser: there is no Chromium. Install one, or set CHROMIUM.',
  );

const INTERVALS = { 'recorded:spot': 900_000 };
const BTC = 'recorded:spot:BTCUSD';
const ETH = 'recorded:spot:ETHUSD';

let market: RecordedMarket;
let server: ReportServer;
let nowMs: number;
let browser: Browser;

const visits: Visit[] = [];

async function open(options: BrowserContextOptions = {}, url = server.url): Promise<Page> {
  const visit = await openPage(browser, url, options);
  visits.push(visit);
  return visit.page;
}

const picker = (page: Page, name: 'Currency' | 'Window') => page.getByRole('combobox', { name });
const markup = async (page: Page, chart: string) =>
  (await svgOf(page, chart).innerHTML()).replaceAll(/clip\d+/g, '');

/** Accessibility problems found by axe-core. */
async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

describe.skipIf(skipped)('the report page', () => {
  beforeAll(async () => {
    if (!executablePath) throw new Error('There is no Chromium: install one, or name it in CHROMIUM.');
    market = await recordedMarket();
    await storeMarket(openSearch, market);
    nowMs = market.nowMs;
    server = await startReportServer({
      openSearchUrl: services.openSearch,
      now: () => new Date(nowMs),
      samplingIntervals: INTERVALS,
    });
    browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS });
  });
  afterEach(async () => {
    const faults = visits.flatMap((visit) => visit.faults);
    await Promise.all(visits.splice(0).map(({ page }) => page.context().close()));
    expect(faults).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await openSearch.close();
  });

  it('draws every chart, and states window, coverage, sampling interval and UTC', async () => {
    const page = await open();
    await expectAllDrawn(page);
    expect(await page.locator('#summary').innerText()).toMatch(
      /Last price\s+6,761\.55\s+2018-07-07 23:59 UTC/,
    );
    const summary = await page.locator('#summary').innerText();
    expect(summary).toContain('are polled every 15 minutes');
    expect(summary).toContain('from hourly candles');
    const periods = await page.locator('.period').allInnerTexts();
    expect(periods).toHaveLength(PAGE_PICTURES.length);
    for (const period of periods) expect(period).toMatch(/^\d{4}-\d\d-\d\d .* UTC to 2018-07-07 23:59 UTC/);
    expect(await page.locator('#price-and-change .period').innerText()).toMatch(
      /coverage 100\u202f% of its hours$/,
    );
  });

  it('shows another currency when one is picked, and says so', async () => {
    const page = await open();
    const before = await Promise.all(
      ['price', 'change', 'average', 'moves-per-week'].map((id) => markup(page, id)),
    );
    const ranking = svgOf(page, 'volatility').locator('.role-mark text');
    const compared = await ranking.allTextContents();
    await pickSeries(page, ETH);
    await page.getByText('Showing ETHUSD · recorded spot').waitFor({ state: 'attached' });
    const after = await Promise.all(
      ['price', 'change', 'average', 'moves-per-week'].map((id) => markup(page, id)),
    );
    for (const [index, svg] of after.entries()) expect(svg).not.toBe(before[index]);
    expect(await ranking.allTextContents()).toEqual(compared);
    expect(await page.locator('#summary h2').innerText()).toBe('ETHUSD · recorded spot');
    // The address keeps the choice, so it can be shared.
    expect(decodeURIComponent(new URL(page.url()).hash)).toBe(`#series=${ETH}`);
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    expect(await page.locator('#summary h2').innerText()).toBe('ETHUSD · recorded spot');
  });

  it('states the facts of the picked currency in words, with the numbers behind them', async () => {
    const page = await open();
    const facts = page.locator('#profile .facts');
    expect(await facts.innerText()).toMatch(/It cost [\d,.]+ USD on average: in half of the hours/);
    expect(await facts.locator('.warning').innerText()).toMatch(/^Incomplete: only 51\.5 % of the window/);
    await facts.locator('summary').first().click();
    const table = facts.getByRole('region', { name: 'Table: What it cost' });
    expect(await table.getByRole('rowheader').allInnerTexts()).toContain('bought every week');
    // Both pictures offer sizes of moves, and neither changes the other.
    await page.locator('#profile').getByRole('radio', { name: '10 %' }).check();
    expect(await page.locator('#moves').getByRole('radio', { name: '5 %' }).isChecked()).toBe(true);
  });

  it('shows another window when one is picked', async () => {
    const page = await open();
    const before = await markup(page, 'price');
    await picker(page, 'Window').selectOption('30d');
    await page.getByText('last 30 days.').waitFor({ state: 'attached' });
    expect(await markup(page, 'price')).not.toBe(before);
    expect(await page.locator('#price-and-change .period').innerText()).toContain('2018-06-08 00:00 UTC to');
    // A picture with a longer minimum keeps it.
    expect(await page.locator('#average-price .period').innerText()).toContain('2017-07-08 00:00 UTC to');
  });

  it('can be used with the keyboard alone', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('currency');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('window');
    await page.getByRole('radio', { name: 'Week' }).focus();
    const before = await markup(page, 'average');
    await page.keyboard.press('ArrowRight');
    expect(await page.getByRole('radio', { name: 'Month' }).isChecked()).toBe(true);
    await expect.poll(() => markup(page, 'average')).not.toBe(before);
    await page.locator('#volatility-ranking summary').focus();
    await page.keyboard.press('Enter');
    const table = page.getByRole('region', { name: 'Table: Volatility' });
    await table.waitFor();
    expect(await table.getByRole('row').count()).toBe(5);
    expect(await table.getByRole('row').nth(1).innerText()).toMatch(
      /^1\s+ADAUSD · recorded spot\s+[\d.]+\u202f%/,
    );
    await page.keyboard.press('Tab');
    expect(await table.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it('lists the numbers of every chart in a table', async () => {
    const page = await open();
    for (const { id, table } of PAGE_CHARTS) {
      const figure = page.locator('figure', { has: page.locator(`#${id}-chart`) });
      await figure.locator('summary').click();
      await figure.locator('table').waitFor();
      expect(await figure.getByRole('columnheader').allInnerTexts()).toEqual(
        table.columns.map(({ title }) => title),
      );
      expect(await figure.locator('tbody tr').count(), id).toBeGreaterThan(0);
      expect(await figure.locator('table').innerText(), id).not.toMatch(/NaN|undefined|Infinity|Invalid/);
    }
  });

  it.each([
    { name: 'light', colorScheme: 'light', width: 1280 },
    { name: 'dark', colorScheme: 'dark', width: 1280 },
    { name: 'on a phone', colorScheme: 'light', width: 390 },
  ] as const)('is readable for everybody, $name', async ({ colorScheme, width }) => {
    const page = await open({ colorScheme, viewport: { width, height: 850 } });
    await page.locator('#price-and-change summary').first().click();
    await picker(page, 'Currency').click();
    await page.locator('#currency-list li').first().waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await expectAllDrawn(page);
  });

  it('prints without its controls, in dark ink', async () => {
    const page = await open({ colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.locator('.toolbar').isVisible()).toBe(false);
    expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe('rgb(0, 0, 0)');
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(20_000);
  });

  it('follows the pipeline as polls come in, and keeps what it shows when the pipeline stops', async () => {
    const page = await open();
    // What is out of sight is updated once it is scrolled to.
    await svgOf(page, 'price').scrollIntoViewIfNeeded();
    const before = await markup(page, 'price');
    const newest = market.tickers.findLast(({ symbol }) => symbol === 'BTCUSD');
    nowMs = market.nowMs + 21 * 60_000;
    const slot = new Date(nowMs).toISOString();
    const late = { index: 'tickers-2018.07', id: 'late' };
    await openSearch.index({
      ...late,
      body: { ...newest, slot, timestamp: slot, received_at: slot, last_price: 7_000.25 },
      refresh: true,
    });
    await expect.poll(() => page.locator('#summary').innerText(), { timeout: 60_000 }).toContain('7,000.25');
    expect(await page.locator('#clock').innerText()).toBe('2018-07-08 00:20 UTC');
    await expect.poll(() => markup(page, 'price'), { timeout: 60_000 }).not.toBe(before);
    await page.route('**/api/**', (route) =>
      route.fulfill({ status: 503, json: { message: 'OpenSearch did not answer: gone' } }),
    );
    await page.getByRole('alert').getByText('OpenSearch did not answer: gone').waitFor();
    expect(await svgOf(page, 'price').isVisible()).toBe(true);
    await openSearch.delete({ ...late, refresh: true });
    nowMs = market.nowMs;
    // The browser logs each failed response.
    for (const visit of visits) visit.faults.splice(0);
  });

  it('looks the same as a file, without a server', async () => {
    const search = new OpenSearchSearch(openSearch, Date.now() + 60_000);
    const store: ReportStore = {
      search: (index, body) => search.search(index, body),
      insights: new OpenSearchSeries(search),
      samplingIntervals: INTERVALS,
    };
    const slices: ReportOutput[] = [];
    let cursor: ReportEvent['cursor'];
    do {
      const input = { asOf: new Date(market.nowMs).toISOString(), currencies: 2 };
      const endMs = Date.now() + 1_000;
      const slice = await reportSlice({ input, cursor }, store, () => Date.now() < endMs);
      slices.push(slice.output);
      cursor = slice.cursor as typeof cursor;
    } while (cursor !== undefined);
    const html = await pageHtml({
      kind: 'file',
      snapshot: {
        origin: 'stage <dev>',
        asOfMs: market.nowMs,
        choices: slices.flatMap(({ choices }) => choices ?? []),
        summaries: Object.fromEntries(slices.flatMap(({ summaries }) => summaries)),
        answers: Object.fromEntries(slices.flatMap(({ answers }) => answers)),
      },
    });
    const folder = await mkdtemp(join(tmpdir(), 'report-'));
    try {
      const file = join(folder, 'report.html');
      await writeFile(file, html);
      const page = await open({ offline: true }, pathToFileURL(file).href);
      await expectAllDrawn(page);
      expect(await page.locator('.lead').innerText()).toContain('stage <dev>');
      await picker(page, 'Currency').click();
      await expect.poll(() => page.locator('#currency-list li').count()).toBe(2);
      await page.keyboard.press('Escape');
      const before = await markup(page, 'price');
      await pickSeries(page, ETH);
      await picker(page, 'Window').selectOption('90d');
      await expect.poll(() => markup(page, 'price')).not.toBe(before);
      await expectAllDrawn(page);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('rejects unknown requests with a reason, and requests for another host name', async () => {
    const ask = async (path: string) => {
      const response = await fetch(new URL(path, server.url));
      return { status: response.status, body: (await response.json()) as { message: string } };
    };
    expect(await ask('api/picture?picture=prices')).toMatchObject({ status: 400 });
    expect((await ask(`api/picture?picture=moves&series=${BTC}&window=3d`)).body.message).toContain(
      'no window "3d"',
    );
    expect((await ask('api/picture?picture=moves')).body.message).toContain('name its series');
    expect(await ask('api/nothing')).toMatchObject({ status: 404 });
    const elsewhere = get(new URL('api/pulse', server.url), { headers: { host: 'example.org' } });
    const [response] = (await once(elsewhere, 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(403);
  });

  it('says what to do while nothing is stored', async () => {
    const early = await startReportServer({
      openSearchUrl: services.openSearch,
      now: () => new Date('2017-01-01T00:00:00Z'),
    });
    try {
      const page = await open({}, early.url);
      expect(await page.getByText('Nothing is stored yet.').isVisible()).toBe(true);
      expect(await page.locator('#pipeline-health .empty:visible').first().innerText()).toContain(
        'npm run doctor',
      );
      expect(await page.locator('#volatility-ranking .empty').innerText()).toContain(
        'three consecutive hours',
      );
      expect(await seriousViolations(page)).toEqual([]);
      await page.close();
    } finally {
      await early.close();
    }
  });
});
