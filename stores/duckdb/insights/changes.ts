import { inMarket, inScope } from '../../../core/insights/in-scope.ts';
import type { ChangePercentiles, ChangeStore, Scope } from '../../../core/insights/ports.ts';
import { formatSeries, type Series } from '../../../core/market/series.ts';
import type { Window } from '../../../core/market/window.ts';
import { quoted } from '../sql-text.ts';
import { between, ms, SERIES_COLUMNS } from './sql.ts';
import { filesIn, type LakeTables } from './tables.ts';

const FIELD = 'price_24h_pcnt';

/** The 24 h changes in the ticks of the lake's Parquet files. Percentiles are exact, interpolated between ranks. */
export class LakeChanges implements ChangeStore {
  readonly #tables: LakeTables;

  constructor(tables: LakeTables) {
    this.#tables = tables;
  }

  async changePercentiles(
    { symbol, ...scope }: Scope & { symbol?: string },
    { fromMs, toMs }: Window,
    percents: readonly number[],
  ): Promise<ChangePercentiles[]> {
    const asked = symbol === undefined ? inMarket : inScope;
    const files = await filesIn(this.#tables, 'tickers', scope, asked, { fromMs, toMs });
    const ofSymbol = symbol === undefined ? 'true' : `symbol = ${quoted(symbol)}`;
    const rows = await this.#tables.rows<Series & { samples: number; lastMs: number } & Quantiles>(
      { files, ...(symbol === undefined ? {} : { symbols: [symbol] }), columns: ['slot', FIELD] },
      (from) => `
        SELECT ${SERIES_COLUMNS}, count(*)::DOUBLE AS samples, max(${ms('slot')}) AS "lastMs",
          ${percents.map((percent, at) => `quantile_cont(${FIELD}, ${percent / 100}) AS q${at}`).join(', ')}
        FROM ${from} WHERE ${FIELD} IS NOT NULL AND ${ofSymbol} AND ${between('slot', fromMs, toMs)}
        GROUP BY ${SERIES_COLUMNS} ORDER BY ${SERIES_COLUMNS}`,
    );
    return rows.map(({ samples, lastMs, ...row }) => ({
      series: formatSeries(row),
      samples,
      lastMs,
      percentiles: Object.fromEntries(percents.map((percent, at) => [percent, row[`q${at}`] as number])),
    }));
  }
}

type Quantiles = Record<`q${number}`, number>;
