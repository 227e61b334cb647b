import type { RecordedPrices } from '../../core/market/candle.ts';
import type { CandleHours } from '../../core/market/price-path.ts';
import { DAY_MS, HOUR_MS } from '../../core/market/time.ts';
import { HourOfRows } from '../../core/operate/backfill/aggregate.ts';
import type { RecordedRow } from '../../core/operate/backfill/row-parts.ts';
import type { Database, NumberChunk } from '../../stores/duckdb/database.ts';
import type { SortedSymbol } from './check-rows.ts';

interface SortedRow extends RecordedPrices {
  id: number;
}

/** The candles that the rows of the table `sorted` make, by symbol and time. Those that are not over are left out. */
export async function* storedCandles(
  database: Database,
  symbols: readonly SortedSymbol[],
  nowMs: number,
): AsyncGenerator<RecordedRow> {
  const maker = new CandleMaker(symbols, nowMs);
  const select = `SELECT id, (start_us // 1000)::DOUBLE AS start_ms, open, high, low, close, volume, turnover FROM sorted`;
  for await (const chunk of database.numbers(select)) {
    // Not row by row: a promise for each of millions takes longer than all the rest.
    for (let index = 0; index < chunk.count; index += 1) maker.add(rowAt(chunk, index));
    yield* maker.take();
  }
  maker.end();
  yield* maker.take();
}

/** Adds rows up, as many as a candle has. */
class CandleMaker {
  readonly #symbols: readonly SortedSymbol[];
  readonly #nowMs: number;
  #ready: RecordedRow[] = [];
  #open: { hour: HourOfRows; of: SortedSymbol } | undefined;

  constructor(symbols: readonly SortedSymbol[], nowMs: number) {
    this.#symbols = symbols;
    this.#nowMs = nowMs;
  }

  /** Rows come by symbol and time. */
  add(row: SortedRow): void {
    const of = this.#symbols[row.id] as SortedSymbol;
    const candleMs = Math.max(of.stepMs, HOUR_MS);
    const startMs = Math.floor(row.startMs / candleMs) * candleMs;
    if (this.#open?.of !== of || this.#open.hour.startMs !== startMs) this.end();
    if (startMs + candleMs > this.#nowMs) return;
    if (of.stepMs < HOUR_MS) {
      this.#open ??= { hour: new HourOfRows(startMs, of.stepMs), of };
      this.#open.hour.add(row);
    } else if (startMs === row.startMs) {
      this.#ready.push(candleOf(of, row));
    }
  }

  /** Completes the hour of the last row. */
  end(): void {
    if (this.#open) this.#ready.push(candleOf(this.#open.of, this.#open.hour.candle()));
    this.#open = undefined;
  }

  /** The candles that are complete, each once. */
  take(): RecordedRow[] {
    return this.#ready.splice(0);
  }
}

function candleOf({ symbol, base, quote, stepMs }: SortedSymbol, prices: RecordedPrices): RecordedRow {
  const hours: CandleHours = stepMs === DAY_MS ? 24 : 1;
  const { startMs, open, high, low, close, volume, turnover, path } = prices;
  return {
    ...{ symbol, hours, startMs, open, high, low, close },
    ...(base && quote ? { base, quote } : {}),
    ...(volume === undefined ? {} : { volume }),
    ...(turnover === undefined ? {} : { turnover }),
    ...(path === undefined ? {} : { path }),
  };
}

function rowAt({ value }: NumberChunk, index: number): SortedRow {
  const price = (column: number) => value(column, index) as number;
  return {
    id: price(0),
    startMs: price(1),
    open: price(2),
    high: price(3),
    low: price(4),
    close: price(5),
    volume: value(6, index) ?? undefined,
    turnover: value(7, index) ?? undefined,
  };
}
