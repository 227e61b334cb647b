import type { MarketInterface } from 'ccxt';
import * as z from 'zod';
import { SourceRefusedError, WrongPayloadError } from '../core/ingest/source-errors.ts';
import type { Category } from '../core/market/series.ts';
import { HOUR_MS } from '../core/market/time.ts';
import { type CandleRow, candleRow } from '../core/operate/backfill/recorded-candles.ts';
import { CcxtClient, categoryOf } from './ccxt-client.ts';
import { pairOfMarket } from './ccxt-source.ts';
import type { Pair } from './normalise.ts';

/** Hourly candles of one symbol, from an hour on. */
export interface CcxtCandleRequest {
  /** As the exchange spells it, and its tickers carry it. */
  symbol: string;
  /** Candles that start in [fromMs, toMs), epoch ms. */
  fromMs: number;
  toMs: number;
}

/** What one request brought. */
export interface CcxtCandlePage {
  pair: Pair;
  /** In time order. */
  rows: CandleRow[];
  /** The next request begins there; `toMs` or later where there is none. */
  nextMs: number;
}

/** Where ccxt does not know how many candles the exchange gives in one request: all known ones give that many. */
const USUAL_PAGE_HOURS = 100;
/** More rows in one answer are no help: a function's answer is 6 MB at most. */
const LARGEST_PAGE_HOURS = 1_000;

const rowOfAnHour = candleRow.refine(([startMs]) => startMs % HOUR_MS === 0, 'starts within an hour');

/**
 * Hourly candles of any exchange that ccxt knows (its `fetchOHLCV`), page by page.
 * @throws UnknownSourceError where ccxt has no such exchange
 */
export class CcxtCandles {
  readonly #client: CcxtClient;
  readonly #category: Category;

  constructor(id: string, category: Category, baseUrl: string | undefined) {
    const options = baseUrl === undefined ? {} : { baseUrl };
    this.#client = new CcxtClient(id, category, options, { closedUntil: undefined });
    this.#category = category;
  }

  /** @throws SourceError */
  page({ symbol, fromMs, toMs }: CcxtCandleRequest, deadlineMs: number): Promise<CcxtCandlePage> {
    return this.#client.ask(deadlineMs, async (exchange) => {
      const market = this.#market(await this.#client.markets(), symbol);
      if (!exchange.has.fetchOHLCV || exchange.timeframes?.['1h'] === undefined) {
        throw new SourceRefusedError(`${exchange.id} gives no hourly candles through ccxt`, {
          url: this.#client.seenUrl,
        });
      }
      const told = Number(exchange.featureValue(market.symbol, 'fetchOHLCV', 'limit', USUAL_PAGE_HOURS));
      const pageHours = Math.min(told > 0 ? told : USUAL_PAGE_HOURS, LARGEST_PAGE_HOURS);
      const rowsOf = async (hours: number): Promise<CandleRow[]> => {
        const answer: unknown = await exchange.fetchOHLCV(market.symbol, '1h', fromMs, hours);
        return this.#checked(answer).filter(([startMs]) => startMs >= fromMs && startMs < toMs);
      };
      let rows = await rowsOf(pageHours);
      // An exchange that gives fewer than ccxt believes may have left out the oldest: fewer are asked for.
      for (;;) {
        const [firstMs = fromMs] = rows[0] ?? [];
        const missingHours = (firstMs - fromMs) / HOUR_MS;
        if (missingHours === 0 || missingHours >= pageHours) break;
        const earlier = (await rowsOf(missingHours)).filter(([startMs]) => startMs < firstMs);
        if (earlier.length === 0) break;
        rows = [...earlier, ...rows];
      }
      const lastMs = rows.at(-1)?.[0];
      return {
        pair: pairOfMarket(market),
        rows,
        // A page of hours without a candle is passed over as a whole.
        nextMs: lastMs === undefined ? fromMs + pageHours * HOUR_MS : lastMs + HOUR_MS,
      };
    });
  }

  #market(markets: readonly MarketInterface[], symbol: string): MarketInterface {
    const found = markets.find(({ id }) => id === symbol);
    if (found) return found;
    const unified = this.#client.exchange.markets?.[symbol];
    const hint =
      unified && categoryOf(unified) === this.#category
        ? `it calls ${symbol} ${unified.id}: ask for that, as its tickers do`
        : 'symbols are spelled as the exchange and its tickers do';
    throw new SourceRefusedError(
      `${this.#client.exchange.id} has no ${this.#category} market ${symbol}; ${hint}`,
      { url: this.#client.seenUrl },
    );
  }

  /** In time order. @throws WrongPayloadError */
  #checked(answer: unknown): CandleRow[] {
    // ccxt leaves a value that it cannot read undefined, or as NaN.
    const list = z.array(z.array(z.unknown()).transform(withoutUnread).pipe(rowOfAnHour)).safeParse(answer);
    if (list.success) return list.data.sort((a, b) => a[0] - b[0]);
    const [issue] = list.error.issues;
    const url = this.#client.seenUrl;
    throw new WrongPayloadError(
      `${this.#client.exchange.id}: ${url}: candle ${issue?.path.join('.')}: ${issue?.message}`,
      { url, body: new TextEncoder().encode(JSON.stringify(answer)), cause: list.error },
    );
  }
}

/** Only the volume may be missing. */
function withoutUnread(row: unknown[]): unknown[] {
  const [start, open, high, low, close, volume] = row;
  return [start, open, high, low, close, Number.isFinite(volume) ? volume : null];
}
