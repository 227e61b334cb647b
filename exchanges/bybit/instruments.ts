import * as z from 'zod';
import type { Category } from '../../core/market/series.ts';
import { type Ask, instrumentsOf } from '../http/ask.ts';
import {
  type Instrument,
  type InstrumentStates,
  instrumentFields,
  instrumentList,
  listedMarkets,
  type Markets,
} from '../payload/instruments.ts';
import { splitBybitSymbol } from './symbols.ts';

/** https://bybit-exchange.github.io/docs/v5/enum#status */
const STATES: InstrumentStates = {
  trading: ['Trading'],
  notOpen: ['PreLaunch', 'PendingOpen'],
  ended: ['Settling', 'Delivering', 'Closed'],
};

const page = z
  .object({
    result: z.object({
      list: instrumentList(
        instrumentFields({ symbol: 'symbol', base: 'baseCoin', quote: 'quoteCoin', state: 'status' }),
      ),
      nextPageCursor: z.string().nullish(),
    }),
  })
  .transform(({ result }) => result);

/** More than any category has; guards against a cursor that loops. */
const MOST_PAGES = 20;

/**
 * https://bybit-exchange.github.io/docs/v5/market/instrument: at most 1,000 a page; spot has one page. Without "All", only
 * the options on BTC.
 */
export async function bybitInstruments(ask: Ask, category: Category): Promise<Instrument[] | undefined> {
  const all: Instrument[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const query = new URLSearchParams({
      category,
      limit: '1000',
      ...(category === 'option' ? { baseCoin: 'All' } : {}),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const answer = await instrumentsOf(ask, { path: `/v5/market/instruments-info?${query}` }, page);
    // Part of a list would make the rest look unlisted, which is harmless.
    if (!answer) break;
    all.push(...answer.list);
    cursor = answer.nextPageCursor || undefined;
    if (cursor === undefined) break;
  }
  return all.length > 0 ? all : undefined;
}

export function bybitMarkets(instruments: readonly Instrument[] | undefined, category: Category): Markets {
  return listedMarkets(instruments, STATES, (symbol, quotes) => splitBybitSymbol(category, symbol, quotes));
}
