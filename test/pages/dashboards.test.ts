import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboardsSpec } from '../../charts/dashboards-rendering.ts';
import { DASHBOARD_PICTURES } from '../../charts/pictures/all.ts';
import { type Answers, answer, type QuestionInput, questionSchema } from '../../core/insights/question.ts';
import { DAY_MS } from '../../core/market/time.ts';
import { openSearchInsights } from '../../stores/opensearch/insights/stores.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';
import { openSearch } from '../integration/services.ts';
import { drawBoard, type Panel, type PanelInput, type Theme, VERSIONS } from './board.ts';
import { CHROMIUM_ARGUMENTS, findChromium } from './chromium.ts';
import { type DashboardContext, resolveQueries } from './like-dashboards.ts';
import { type RecordedMarket, recordedMarket, storeMarket } from './recorded-market.ts';

const executablePath = findChromium();
const skipped = executablePath === undefined && !process.env.CI;
if (skipped) console.warn('Dashboards’ charts are not tested in a browser: there is no Chromium.');

/** A full hour, right after the last poll. */
const END_MS = Date.parse('2018-07-08T00:00:00Z');
const SIX_MONTHS: DashboardContext = { fromMs: END_MS - 181 * DAY_MS, toMs: END_MS, filters: [] };
const WEEK: DashboardContext = { ...SIX_MONTHS, fromMs: END_MS - 7 * DAY_MS };
const BTC_ONLY = [{ match_phrase: { symbol: 'BTCUSD' } }];
const CHARTS = DASHBOARD_PICTURES.flatMap(({ charts }) => charts);
const [SHIPPED] = Object.values(VERSIONS) as [readonly [string, string]];
const search = new OpenSearchSearch(openSearch, Number.POSITIVE_INFINITY);
let browser: Browser;
let market: RecordedMarket;

/** All charts, with the answers that Dashboards would get. */
async function board(
  context: DashboardContext,
  { versions = SHIPPED, theme = 'light', prefix = '' }: Partial<BoardOptions> = {},
): Promise<{ page: Page; panels: Record<string, Panel> }> {
  const inputs: PanelInput[] = await Promise.all(
    DASHBOARD_PICTURES.flatMap((picture) => picture.charts.map((chart) => ({ chart, picture }))).map(
      async ({ chart, picture }) => ({
        id: chart.id,
        ...(chart.id === 'headline' ? { width: 1_256, height: 190 } : {}),
        spec: await resolveQueries(dashboardsSpec(chart, picture), context, async (index, body) => {
          const answered = await search.search(`${prefix}${index.replace(',', `,${prefix}`)}`, body);
          // An aggregation that some indices reject would silently lack their documents.
          expect(answered, chart.id).toMatchObject({ _shards: { failed: 0 } });
          return answered;
        }),
      }),
    ),
  );
  return drawBoard(browser, versions, theme, inputs);
}

interface BoardOptions {
  versions: readonly [string, string];
  theme: Theme;
  /** Before the names of the indices. */
  prefix: string;
}

async function ask<Q extends keyof Answers>(question: QuestionInput & { question: Q }): Promise<Answers[Q]> {
  const intervals = { 'recorded:spot': 900_000 };
  const stores = openSearchInsights(search);
  return (await answer(questionSchema.parse(question), END_MS, stores, intervals)) as Answers[Q];
}
const iso = (ms: number) => new Date(ms).toISOString();
const textIn = (page: Page, chart: string) =>
  page
    .locator(`#${chart} .view text`)
    .evaluateAll((texts) => texts.map((text) => text.textContent).join(' '));

describe.skipIf(skipped)('the charts in OpenSearch Dashboards', () => {
  beforeAll(async () => {
    if (!executablePath) throw new Error('There is no Chromium: install one, or name it in CHROMIUM.');
    market = await recordedMarket();
    await storeMarket(openSearch, market);
    browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS });
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await openSearch.close();
  });

  it.each(Object.entries(VERSIONS))('are drawn with %s, without a complaint', async (_, versions) => {
    const { page, panels } = await board(SIX_MONTHS, { versions });
    expect(Object.keys(panels)).toEqual(CHARTS.map(({ id }) => id));
    for (const [id, { complaints, marks }] of Object.entries(panels)) {
      expect(complaints, id).toEqual([]);
      expect(marks, id).toBeGreaterThan(1);
      expect(await textIn(page, id)).not.toContain('There');
    }
    // The median, which older versions drew without a height.
    const medians = await page
      .locator('#bands .median_marks path')
      .evaluateAll((paths) => paths.map((path) => (path as SVGPathElement).getBBox().height));
    expect(medians).toHaveLength(4);
    for (const height of medians) expect(height).toBeGreaterThan(10);
    await page.close();
  });

  describe('with six months of several currencies and an archive', () => {
    let page: Page;
    let panels: Record<string, Panel>;
    beforeAll(async () => {
      ({ page, panels } = await board(SIX_MONTHS));
    });
    afterAll(() => page.close());
    const panel = (id: string) => panels[id] as Panel;

    it('compare the main market of each currency over the whole time, with the numbers of insights', async () => {
      const rows = await panel('price').rows('price-line');
      const bySeries = Map.groupBy(rows, ({ series }) => series as string);
      expect([...bySeries.keys()].sort()).toEqual(
        ['ADA', 'BTC', 'ETH', 'XRP'].map((base) => `recorded:spot:${base}USD`),
      );
      for (const [symbol, of] of bySeries) {
        const average = await ask({
          question: 'average',
          symbol,
          from: iso(SIX_MONTHS.fromMs),
          to: iso(SIX_MONTHS.toMs),
        });
        expect(Math.min(...of.map(({ low }) => Number(low)))).toBe(average.min);
        expect(Math.max(...of.map(({ high }) => Number(high)))).toBe(average.max);
      }
    });

    it('show the headline figures of insights', async () => {
      const window = { from: iso(SIX_MONTHS.fromMs), to: iso(SIX_MONTHS.toMs) };
      const rows = await panel('headline').rows('figures');
      const { series: volatile } = await ask({ question: 'volatile', ...window });
      expect(volatile).toHaveLength(4);
      for (const { series, volatility } of volatile) {
        const row = rows.find((each) => (each.series as string) === series);
        const average = await ask({ question: 'average', symbol: series, ...window });
        expect(row).toMatchObject({ last: average.last, lowest: average.min, highest: average.max });
        expect(row?.volatility).toBeCloseTo(volatility as number, 9);
        const [, , symbol] = series.split(':');
        const tick = market.tickers.findLast((each) => each.symbol === symbol);
        expect(row?.change).toBeCloseTo(tick?.price_24h_pcnt as number, 6);
        expect(Number(row?.day_turnover) / (tick?.turnover_24h as number)).toBeCloseTo(1, 6);
      }
    });

    it('show candlesticks of the main market with the highest turnover, as insights answers for each interval', async () => {
      const rows = await panel('candlesticks').rows('bodies');
      expect(new Set(rows.map(({ series }) => series))).toEqual(new Set(['recorded:spot:BTCUSD']));
      expect(rows.length).toBeGreaterThan(20);
      for (const row of [rows[1], rows.at(-2)]) {
        const fromMs = Number(row?.start_ms);
        const { first, last, min, max } = await ask({
          question: 'average',
          symbol: 'recorded:spot:BTCUSD',
          from: iso(fromMs),
          to: iso(fromMs + Number(row?.reach_ms)),
        });
        expect(row).toMatchObject({ open: first, close: last, low: min, high: max });
      }
    });

    it('give a currency the same colour in every panel', async () => {
      const [order, ...others] = await Promise.all(
        ['price', 'change', 'average'].map((id) =>
          panel(id).evaluate((view) => view.scale('color').domain()),
        ),
      );
      expect(order?.map((label) => String(label).split(' ')[0])).toEqual([
        'BTCUSD',
        'ETHUSD',
        'XRPUSD',
        'ADAUSD',
      ]);
      for (const other of others) expect(other).toEqual(order);
    });

    it('span the dashboard’s time range with every time axis, or more where it says so', async () => {
      const domain = (id: string) => panel(id).evaluate((view) => view.scale('x').domain().map(Number));
      for (const id of ['price', 'change', 'candlesticks', 'ticks-per-hour', 'gaps', 'moves-per-week']) {
        expect(await domain(id), id).toEqual([SIX_MONTHS.fromMs, SIX_MONTHS.toMs]);
      }
      for (const id of ['average', 'coverage']) {
        expect(await domain(id), id).toEqual([END_MS - 365 * DAY_MS, END_MS]);
      }
    });

    it('rank as insights does, without the archive', async () => {
      const ranked = await panel('volatility').rows('ranking');
      const rows = ranked.sort((a, b) => Number(a.rank) - Number(b.rank));
      const { series } = await ask({
        question: 'volatile',
        from: iso(SIX_MONTHS.fromMs),
        to: iso(SIX_MONTHS.toMs),
      });
      expect(rows.map((row) => row.series)).toEqual(series.map((each) => each.series));
      for (const [index, { volatility }] of series.entries()) {
        expect(rows[index]?.volatility).toBeCloseTo(volatility as number, 9);
      }
    });

    it.each([
      ['volatility', '.ranking_marks path'],
      ['moves-by-currency', '.currencies_marks path'],
      ['bands', '.pointer_marks path'],
    ])('filter the dashboard by a series that is clicked in %s', async (chart, marks) => {
      await page.locator(`#${chart} ${marks}`).first().click();
      await expect.poll(() => panel(chart).filters()).toHaveLength(1);
      const [filter] = await panel(chart).filters();
      const symbol = filter?.alias.split(' ')[0];
      expect(filter).toEqual({
        query: {
          bool: {
            filter: [
              { term: { exchange: 'recorded' } },
              { term: { category: 'spot' } },
              { term: { symbol } },
            ],
          },
        },
        index: 'candles-*',
        alias: `${symbol} · recorded spot`,
      });
    });

    it('keep apart what is picked in different panels', async () => {
      expect(await page.locator('input[type=radio]').count()).toBe(0);
      await page.locator('#average select').selectOption({ label: 'Day' });
      await page.locator('#moves-per-week select').selectOption({ label: '1 %' });
      const picked = (id: string) =>
        page.locator(`#${id} select`).evaluate((box) => (box as HTMLSelectElement).value);
      expect(await Promise.all(['average', 'coverage'].map(picked))).toEqual(['day', 'week']);
      expect(await Promise.all(['moves-per-week', 'move-sizes'].map(picked))).toEqual(['0.01', '0.05']);
      const days = await panel('average').rows('average-line');
      expect(days.length).toBeGreaterThan(4 * 150);
    });
  });

  describe('with several markets of a currency', () => {
    const SLOT = '2019-03-05T12:00:00.000Z';
    const context = { fromMs: Date.parse(SLOT) - DAY_MS, toMs: Date.parse(SLOT) + 60_000, filters: [] };
    const INDEX = 'tickers-2019.03';
    const tick = (
      exchange: string,
      category: string,
      symbol: string,
      base: string,
      quote: string,
      figures: object,
    ) => ({
      v: 1,
      exchange,
      category,
      symbol,
      base,
      quote,
      slot: SLOT,
      timestamp: SLOT,
      received_at: SLOT,
      ...figures,
    });
    const candle = ({ slot: _, ...series }: ReturnType<typeof tick>) => ({
      ...series,
      start: '2019-03-05T11:00:00.000Z',
      hours: 1,
      ...{ open: 1, high: 2, low: 1, close: 2, mean: 1.5, samples: 1 },
    });
    const MARKETS = [
      tick('bybit', 'linear', 'BTCUSDT', 'BTC', 'USDT', { last_price: 4_000, turnover_24h: 8_000_000 }),
      // Counts coins: 2,500 of them.
      tick('bybit', 'inverse', 'BTCUSD', 'BTC', 'USD', { last_price: 4_000, turnover_24h: 2_500 }),
      tick('upbit', 'spot', 'KRW-BTC', 'BTC', 'KRW', { last_price: 4_500_000, turnover_24h: 20_000_000_000 }),
      tick('other', 'spot', 'BTCUSDC', 'BTC', 'USDC', { last_price: 4_000, volume_24h: 100 }),
      tick('bybit', 'linear', 'ETHUSDT', 'ETH', 'USDT', { last_price: 130, turnover_24h: 9_000_000 }),
    ];
    // More than a shard returns, all with a higher turnover.
    const OTHERS = Array.from({ length: 150 }, (_, n) =>
      tick('bybit', 'linear', `A${n}USDT`, `A${n}`, 'USDT', { last_price: 1, turnover_24h: 1e9 + n }),
    );
    const store = async (actions: [action: object, source: object][]) => {
      const { body } = await openSearch.bulk({ refresh: true, body: actions.flat() });
      expect(body.errors).toBe(false);
    };
    const candleIds = (markets: typeof MARKETS) =>
      markets.map(({ exchange, symbol }) => `${exchange}:${symbol}:test`);
    beforeAll(() => store(MARKETS.map((each) => [{ index: { _index: INDEX } }, each])));
    afterAll(async () => {
      await openSearch.indices.delete({ index: INDEX });
      const body = candleIds([...MARKETS, ...OTHERS]).map((_id) => ({
        delete: { _index: 'candles-2019', _id },
      }));
      await openSearch.bulk({ refresh: true, body });
    });

    it.each([
      { exchange: undefined, filters: [], main: 'upbit:spot:KRW-BTC' },
      { exchange: 'bybit', filters: [{ match_phrase: { exchange: 'bybit' } }], main: 'bybit:inverse:BTCUSD' },
    ])('draw $main, which a question about BTC means at $exchange', async ({ exchange, filters, main }) => {
      const { page, panels } = await board({ ...context, filters });
      const rows = await (panels.price as Panel).rows('price-line');
      const average = await ask({
        question: 'average',
        symbol: 'BTC',
        exchange,
        from: '2019-03-05',
        to: '2019-03-06',
      });
      expect(average.series).toBe(main);
      expect(new Set(rows.map(({ series }) => series))).toEqual(new Set([main, 'bybit:linear:ETHUSDT']));
      expect(await textIn(page, 'price')).toContain(exchange ? 'main of 2 markets' : 'main of 4 markets');
      await page.close();
    });

    it('draw candles and ticks of the same markets, however many there are', async () => {
      const markets = [...MARKETS, ...OTHERS];
      const ids = candleIds(markets);
      await store([
        ...OTHERS.map((each): [object, object] => [{ index: { _index: INDEX } }, each]),
        ...markets.map((each, n): [object, object] => [
          { index: { _index: 'candles-2019', _id: ids[n] } },
          candle(each),
        ]),
      ]);
      const { page, panels } = await board(context);
      const rows = await (panels.price as Panel).rows('price-line');
      const hours = Map.groupBy(rows, ({ series }) => series as string);
      expect([...hours.keys()].slice(0, 2).sort()).toEqual(['bybit:linear:ETHUSDT', 'upbit:spot:KRW-BTC']);
      // An hour from its candle and an hour from its tick.
      for (const of of hours.values()) expect(of.map(({ is_candle }) => is_candle)).toEqual([true, false]);
      await page.close();
    });

    it('say that another market is the main one if its candles are not among those that a shard returns', async () => {
      const small = OTHERS.map((each, n) => ({ ...each, symbol: `B${n}USDT`, base: 'BTC', turnover_24h: 1 }));
      await store(
        small.flatMap((each, n): [object, object][] => [
          [{ index: { _index: INDEX } }, each],
          ...[10, 11].map((hour): [object, object] => [
            { index: { _index: 'candles-2019', _id: `many:${n}:${hour}` } },
            { ...candle(each), start: `2019-03-05T${hour}:00:00.000Z` },
          ]),
        ]),
      );
      const { page } = await board(context);
      expect(await textIn(page, 'price')).toContain('not the main market');
      await page.close();
      await openSearch.deleteByQuery({
        index: 'candles-2019',
        refresh: true,
        body: {
          query: { bool: { filter: [{ term: { hours: 1 } }, { range: { start: { gte: '2019-03-05' } } }] } },
        },
      });
    });
  });

  it('show the price of one currency, in dark, with bars of a usual height', async () => {
    const { page, panels } = await board({ ...WEEK, filters: BTC_ONLY }, { theme: 'dark' });
    const rows = await (panels.price as Panel).rows('price-line');
    expect(rows).toHaveLength(7 * 24);
    expect(await textIn(page, 'price')).toContain('6,500');
    // Not even if a currency is picked: what arrives does not depend on it.
    const ticks = await (panels['ticks-per-hour'] as Panel).rows('ticks');
    expect(Math.max(...ticks.map((row) => Number(row.ticks_per_hour)))).toBe(16);
    const tallest = (chart: string, marks: string) =>
      page
        .locator(`#${chart} .${marks} path`)
        .evaluateAll((paths) => Math.max(...paths.map((path) => (path as SVGPathElement).getBBox().height)));
    for (const [chart, marks] of Object.entries({
      bands: 'p25_p75_marks',
      volatility: 'ranking_marks',
      'moves-by-currency': 'currencies_marks',
      freshness: 'age_marks',
      coverage: 'coverage_bars_marks',
      gaps: 'polls_marks',
    })) {
      expect(await tallest(chart, marks), chart).toBeGreaterThan(10);
      expect(await tallest(chart, marks), chart).toBeLessThan(40);
    }
    const colours = await page
      .locator('.view text')
      .evaluateAll((texts) => [...new Set(texts.map((text) => text.getAttribute('fill')))].sort());
    // Those of the theme.
    expect(colours).toEqual(['#98a2b3', '#d4dae5']);
    const frames = await page
      .locator('.view .background')
      .evaluateAll((paths) => paths.map((path) => path.getAttribute('stroke')).filter(Boolean));
    expect(frames).toEqual([]);
    await page.close();
  });

  it.each([
    { what: 'nothing in the time range', context: { ...WEEK, fromMs: 0, toMs: DAY_MS }, prefix: '' },
    { what: 'no index at all', context: WEEK, prefix: 'nothing-' },
  ])('say so in words if there is $what', async ({ context, prefix }) => {
    const { page, panels } = await board(context, { prefix });
    for (const { id, whenEmpty } of CHARTS) {
      expect(await page.locator(`#${id} .view svg > g`).getAttribute('transform'), id).not.toContain('Inf');
      expect((await textIn(page, id)).replaceAll(' ', ''), id).toContain(whenEmpty.replaceAll(' ', ''));
      expect((panels[id] as Panel).complaints, id).toEqual([]);
    }
    await page.close();
  });
});
