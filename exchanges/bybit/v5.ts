import * as z from 'zod';
import type { TickerBatch } from '../../core/ingest/ports.ts';
import { SourceError } from '../../core/ingest/source-errors.ts';
import { isKnownCurrency } from '../../core/market/currencies.ts';
import type { Category } from '../../core/market/series.ts';
import { LATEST_MS } from '../../core/market/time.ts';
import type { CandleApi, ExchangeCandle, PollScope, TickerApi } from '../exchange.ts';
import { type Answer, type Ask, settled } from '../http/ask.ts';
import { candleList } from '../payload/candles.ts';
import { epochMs, fieldOf, fieldReaders } from '../payload/fields.ts';
import type { Instrument, Markets } from '../payload/instruments.ts';
import { type Entry, entriesOf, normaliseList } from '../payload/tickers.ts';
import { bybitInstruments, bybitMarkets } from './instruments.ts';
import { optionCoins, withOptionChange } from './options.ts';
import { splitBybitSymbol } from './symbols.ts';

/** https://bybit-exchange.github.io/docs/v5/market/tickers: all values are strings, "" means absent. */
const FIELDS = fieldReaders({
  lastPrice: 'last_price',
  bid1Price: 'bid_price',
  ask1Price: 'ask_price',
  bid1Size: 'bid_size',
  ask1Size: 'ask_size',
  indexPrice: 'index_price',
  markPrice: 'mark_price',
  usdIndexPrice: 'usd_index_price',
  underlyingPrice: 'underlying_price',
  prevPrice1h: 'prev_price_1h',
  prevPrice24h: 'prev_price_24h',
  highPrice24h: 'high_price_24h',
  lowPrice24h: 'low_price_24h',
  price24hPcnt: 'price_24h_pcnt',
  volume24h: 'volume_24h',
  turnover24h: 'turnover_24h',
  totalVolume: 'total_volume',
  totalTurnover: 'total_turnover',
  openInterest: 'open_interest',
  openInterestValue: 'open_value',
  fundingRate: 'funding_rate',
  nextFundingTime: 'next_funding_time',
  fundingIntervalHour: 'funding_interval_hours',
  fundingCap: 'funding_cap',
  predictedDeliveryPrice: 'predicted_delivery_price',
  deliveryTime: 'delivery_time',
  deliveryFeeRate: 'delivery_fee_rate',
  basis: 'basis',
  basisRate: 'basis_rate',
  basisRateYear: 'basis_rate_year',
  preOpenPrice: 'pre_open_price',
  preQty: 'pre_open_quantity',
  curPreListingPhase: 'pre_listing_phase',
  bid1Iv: 'bid_iv',
  ask1Iv: 'ask_iv',
  markIv: 'mark_iv',
  delta: 'delta',
  gamma: 'gamma',
  vega: 'vega',
  theta: 'theta',
});

const envelopeOf = (category: Category) =>
  z.object({
    result: z.object({ category: z.literal(category), list: z.array(z.unknown()) }),
    time: z
      .unknown()
      .transform((time) => epochMs(time, 'ms'))
      .pipe(z.number('expected a time').int().positive().max(LATEST_MS)),
  });

type Envelope = Answer<z.infer<ReturnType<typeof envelopeOf>>>;

/** One request for each category, and for each coin that has options. Only the envelope has a time. */
export const bybitV5: TickerApi = {
  name: 'bybit-v5',
  categories: ['linear', 'inverse', 'spot', 'option'],
  defaultCategories: ['linear', 'inverse', 'spot'],
  async tickers(ask, scope) {
    const { category } = scope;
    const path = `/v5/market/tickers?category=${category}`;
    if (category === 'option') return options(ask, path, scope, await bybitInstruments(ask, category));
    // One after the other: while the tickers fail, nothing else is requested.
    const answer = await ask({ path }, envelopeOf(category));
    return read([answer], bybitMarkets(await bybitInstruments(ask, category), category), scope);
  },
};

/** Reports coins whose options are unavailable; throws if all are. */
async function options(
  ask: Ask,
  path: string,
  scope: PollScope,
  instruments: readonly Instrument[] | undefined,
): Promise<TickerBatch> {
  const coins = optionCoins(instruments);
  const asked = coins.map((coin) => settled(ask({ path: `${path}&baseCoin=${coin}` }, envelopeOf('option'))));
  const answers: Envelope[] = [];
  const failures: SourceError[] = [];
  for (const answer of await Promise.all(asked)) {
    if (answer instanceof SourceError) failures.push(answer);
    else answers.push(answer);
  }
  const [failure] = failures;
  if (failure && answers.length === 0) throw failure;
  const batch = read(answers, bybitMarkets(instruments, 'option'), scope);
  // A coin that was only guessed may have no options.
  if (!failure || !instruments) return batch;
  return { ...batch, warning: `the options of ${failures.length} coins are missing: ${failure.message}` };
}

/** https://bybit-exchange.github.io/docs/v5/enum#curauctionphase: "" and Finished are those of a listed market. */
function entryOf(entry: Entry): Entry {
  const phase = fieldOf(entry.raw, 'curPreListingPhase');
  if (typeof phase !== 'string' || phase === '' || phase === 'Finished') return entry;
  return { ...entry, absence: { kind: 'untraded', reason: `it is not listed yet (${phase})` } };
}

function read(answers: readonly Envelope[], markets: Markets, scope: PollScope): TickerBatch {
  const entries = answers.flatMap(({ value, url, receivedAt }) => {
    const from = { url, receivedAt, timestamp: new Date(value.time).toISOString() };
    return entriesOf(value.result.list, 'symbol').map((entry) => ({ ...entryOf(entry), from }));
  });
  if (scope.category === 'option') {
    for (const entry of entries) entry.values = withOptionChange(entry.raw);
  }
  const [{ url = '', receivedAt = '' } = {}] = answers;
  return normaliseList(entries, FIELDS, markets, { ...scope, url, receivedAt });
}

const PAGE_HOURS = 1_000;
const klines = z.object({
  result: z.object({
    category: z.string().optional(),
    list: candleList('ms', ['open', 'high', 'low', 'close', 'volume', 'turnover']),
  }),
});

/** An inverse contract counts its volume in US dollars, and its turnover in the coin. */
function swapAmounts({ volume: turnover, turnover: volume, ...candle }: ExchangeCandle): ExchangeCandle {
  return { ...candle, volume, turnover };
}

/**
 * https://bybit-exchange.github.io/docs/v5/market/kline: [start, open, high, low, close, volume, turnover], newest
 * first. Options have no candles.
 */
export const bybitCandles: CandleApi = {
  format: 'bybit-v5',
  categories: ['linear', 'inverse', 'spot'],
  pageHours: PAGE_HOURS,
  request({ category, symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      category,
      symbol,
      interval: '60',
      start: String(fromMs),
      end: String(toMs - 1),
      limit: String(PAGE_HOURS),
    });
    return { path: `/v5/market/kline?${query}` };
  },
  shapeOf: () =>
    klines.transform(({ result }) =>
      result.category === 'inverse' ? result.list.map(swapAmounts) : result.list,
    ),
  async pairOf({ category, symbol }, ask) {
    const { base, quote } = splitBybitSymbol(category, symbol);
    // Two known currencies leave no doubt, which saves a request.
    if (base && quote && isKnownCurrency(base)) return { base, quote };
    return bybitMarkets(await bybitInstruments(ask, category), category).pairOf(symbol);
  },
};
