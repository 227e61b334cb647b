import type { ColumnFile } from '../../../core/columns/objects.ts';
import { inMarket, inScope } from '../../../core/insights/in-scope.ts';
import type { CurrencySeries, Scope, SeriesCatalogue } from '../../../core/insights/ports.ts';
import type { CandleSeries } from '../../../core/market/candle.ts';
import { formatSeries, type Series } from '../../../core/market/series.ts';
import { DAY_MS } from '../../../core/market/time.ts';
import { unitsTraded } from '../../../core/market/turnover.ts';
import { quoted } from '../sql-text.ts';
import { ms, SERIES_COLUMNS } from './sql.ts';
import { filesIn, type LakeTables, newestFirst, newestOfEach } from './tables.ts';
import { candleTrades, tickTrades } from './trades.ts';

/** Which series the lake's Parquet files have; manifests list the symbols, so names need no file to be read. */
export class LakeCatalogue implements SeriesCatalogue {
  readonly #tables: LakeTables;

  constructor(tables: LakeTables) {
    this.#tables = tables;
  }

  async withSymbol(symbol: string, scope: Scope): Promise<CandleSeries[]> {
    const all = await this.#series(scope, inScope);
    return all.filter((series) => series.symbol.toLowerCase() === symbol.toLowerCase());
  }

  async ofCurrency(currency: string, scope: Scope): Promise<CurrencySeries[]> {
    const isOfCurrency = `lower(base) = lower(${quoted(currency)})`;
    const candles = newestFirst(await filesIn(this.#tables, 'candles', scope, inMarket));
    const newest = await filesIn(this.#tables, 'tickers', scope, inMarket);
    // Every series has candles, but one that is new may only have ticks.
    const known = await this.#seriesThat(isOfCurrency, newestOfEach(newest), ...candles);
    if (known.length === 0) return [];

    const traded = unitsTraded([await this.#newestTrades(known, isOfCurrency, newest)]);
    if (traded.some(({ turnover }) => turnover !== undefined)) return traded;
    const recorded = unitsTraded(await this.#lastDay(candles, isOfCurrency));
    if (recorded.some(({ turnover }) => turnover !== undefined)) return recorded;
    return this.#seriesThat(isOfCurrency, [...newestOfEach(newest), ...candles.flat()]);
  }

  async names(scope: Scope): Promise<string[]> {
    const symbols = (await this.#series(scope, inMarket)).map(({ symbol }) => symbol);
    const bases = await Promise.all(
      (['candles', 'tickers'] as const).map(async (table) =>
        this.#tables.rows<{ base: string }>(
          { files: newestOfEach(await filesIn(this.#tables, table, scope, inMarket)), columns: ['base'] },
          (from) => `SELECT DISTINCT base FROM ${from} WHERE base IS NOT NULL`,
        ),
      ),
    );
    return [...new Set([...symbols, ...bases.flat().map(({ base }) => base)])];
  }

  /** Of all candles and of the newest ticks. */
  async #series(scope: Scope, within: typeof inScope): Promise<Series[]> {
    const files = [
      ...(await filesIn(this.#tables, 'candles', scope, within)),
      ...newestOfEach(await filesIn(this.#tables, 'tickers', scope, within)),
    ];
    const found = new Map<string, Series>();
    for (const file of files) {
      const { exchange, category } = file;
      for (const symbol of await this.#tables.symbolsIn(file)) {
        const series = { exchange, category, symbol };
        found.set(formatSeries(series), series);
      }
    }
    return [...found.values()];
  }

  /** Of the first of several groups of files that has any. */
  async #seriesThat(condition: string, ...groups: ColumnFile[][]): Promise<Series[]> {
    for (const files of groups) {
      const found = await this.#tables.rows<Series>(
        { files, columns: ['base'] },
        (from) => `SELECT DISTINCT ${SERIES_COLUMNS} FROM ${from} WHERE ${condition} ORDER BY ALL`,
      );
      if (found.length > 0) return found;
    }
    return [];
  }

  /** @param known series, some of which may have ticks in the files */
  async #newestTrades(known: readonly Series[], condition: string, files: readonly ColumnFile[]) {
    const names = new Set(known.map(formatSeries));
    for (const ofDay of newestFirst(files)) {
      const listed = await Promise.all(ofDay.map((file) => this.#tables.symbolsIn(file)));
      const hasAny = ofDay.some(({ exchange, category }, index) =>
        [...(listed[index] ?? [])].some((symbol) => names.has(formatSeries({ exchange, category, symbol }))),
      );
      if (!hasAny) continue;
      const dayBefore = new Date(Date.parse(ofDay[0]?.period ?? '') - DAY_MS).toISOString().slice(0, 10);
      const both = files.filter(({ period }) => period === ofDay[0]?.period || period === dayBefore);
      return tickTrades(this.#tables, both, condition);
    }
    return [];
  }

  async #lastDay(candles: readonly ColumnFile[][], condition: string) {
    for (const files of candles) {
      const [found] = await this.#tables.rows<{ startMs: number | null }>(
        { files, columns: ['start', 'base'] },
        (from) => `SELECT max(${ms('start')}) AS "startMs" FROM ${from} WHERE ${condition}`,
      );
      if (typeof found?.startMs !== 'number') continue;
      const endMs = found.startMs + 1;
      const day = { fromMs: endMs - DAY_MS, toMs: endMs };
      return candleTrades(this.#tables, candles.flat(), condition, day);
    }
    return [];
  }
}
