import type { MarketInterface } from 'ccxt';
import * as z from 'zod';
import { SourceRefusedError, WrongPayloadError } from '../../core/ingest/source-errors.ts';
import { type CandleRow, candleRow } from '../../core/lake/candle-rows.ts';
import type { Category } from '../../core/market/series.ts';
import { HOUR_MS, hourOf } from '../../core/market/time.ts';
import type { CandlePager, CandleRange, RowPage } from '../../core/operate/ports.ts';
import { CcxtClient } from './client.ts';
import { categoryOf, pairOfMarket } from './markets.ts';

/** For exchanges whose limit ccxt does not know; all known limits are at least this high. */
const DEFAULT_PAGE_HOURS = 100;
/** A function's answer may be 6 MB at most. */
const MAX_PAGE_HOURS = 1_000;

/** ccxt leaves a value that it cannot read undefined or NaN; only the volume may be missing. */
const rowList = z.array(
  z
    .array(z.unknown())
    .transform((row) => [...row.slice(0, 5), Number.isFinite(row[5]) ? row[5] : null])
    .pipe(candleRow),
);

/**
 * Hourly candles of any exchange that ccxt knows (its `fetchOHLCV`), page by page.
 * @throws UnknownSourceError if ccxt has no such exchange
 */
export class CcxtCandles implements CandlePager {
  readonly #client: CcxtClient;
  readonly #category: Category;

  constructor(id: string, category: Category, baseUrl: string | undefined) {
    this.#client = new CcxtClient(id, category, { baseUrl }, { current: undefined });
    this.#category = category;
  }

  /** @throws SourceError */
  page({ symbol, fromMs, toMs }: Omit<CandleRange, 'category'>, deadlineMs: number): Promise<RowPage> {
    return this.#client.ask(deadlineMs, async (exchange) => {
      const market = this.#market(await this.#client.markets(), symbol);
      if (!exchange.has.fetchOHLCV || exchange.timeframes?.['1h'] === undefined) {
        throw new SourceRefusedError(`${exchange.id} has no hourly candles in ccxt`, {
          url: this.#client.lastUrl,
        });
      }
      const limit = Number(exchange.featureValue(market.symbol, 'fetchOHLCV', 'limit', DEFAULT_PAGE_HOURS));
      const pageHours = Math.min(limit > 0 ? limit : DEFAULT_PAGE_HOURS, MAX_PAGE_HOURS);
      const moved = new Set<number>();
      const fetchRows = async (hours: number): Promise<CandleRow[]> => {
        const answer: unknown = await exchange.fetchOHLCV(market.symbol, '1h', fromMs, hours);
        const rows = this.#read(answer).filter(([startMs]) => startMs >= fromMs && startMs < toMs);
        for (const [startMs] of rows) if (startMs !== hourOf(startMs)) moved.add(startMs);
        return rows.filter(([startMs]) => !moved.has(startMs));
      };
      let rows = await fetchRows(pageHours);
      // If the limit is lower than ccxt believes, the oldest candles may be missing: request fewer.
      for (;;) {
        const [firstMs = fromMs] = rows[0] ?? [];
        const missingHours = (firstMs - fromMs) / HOUR_MS;
        if (missingHours === 0 || missingHours >= pageHours) break;
        const earlier = (await fetchRows(missingHours)).filter(([startMs]) => startMs < firstMs);
        if (earlier.length === 0) break;
        rows = [...earlier, ...rows];
      }
      const lastMs = rows.at(-1)?.[0];
      // A page without any candle is skipped as a whole.
      const nextMs = lastMs === undefined ? fromMs + pageHours * HOUR_MS : lastMs + HOUR_MS;
      return { pair: pairOfMarket(market), rows, moved: moved.size, nextMs };
    });
  }

  #market(markets: readonly MarketInterface[], symbol: string): MarketInterface {
    const found = markets.find(({ id }) => id === symbol);
    if (found) return found;
    const { exchange, lastUrl: url } = this.#client;
    const unified = exchange.markets?.[symbol];
    const advice =
      unified && categoryOf(unified) === this.#category
        ? `its tickers call ${symbol} ${unified.id}; use that name`
        : 'spell symbols as its tickers do';
    throw new SourceRefusedError(`${exchange.id} has no ${this.#category} market ${symbol}; ${advice}`, {
      url,
    });
  }

  /** In time order. @throws WrongPayloadError */
  #read(answer: unknown): CandleRow[] {
    const list = rowList.safeParse(answer);
    if (list.success) return list.data.sort((a, b) => a[0] - b[0]);
    const [issue] = list.error.issues;
    const { exchange, lastUrl: url } = this.#client;
    throw new WrongPayloadError(
      `${exchange.id}: ${url}: candle ${issue?.path.join('.')}: ${issue?.message}`,
      {
        url,
        body: new TextEncoder().encode(JSON.stringify(answer)),
        cause: list.error,
      },
    );
  }
}
