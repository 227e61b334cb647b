import type { Market } from '../market/series.ts';
import { failuresPrefix } from './failure-objects.ts';
import { listingsPrefix } from './listing-objects.ts';
import {
  markerKey,
  markerKeyOfSource,
  rejectedPrefix,
  tickersPrefix,
  unreadableMarkersPrefix,
} from './ticker-objects.ts';

/*
 * The objects of a market's polls, as patterns of keys in which `*` stands for any rest. Policies are made of them, so
 * that the polls of one market cannot touch what another's have written.
 */

export function writtenByPolls(market: Market): string[] {
  const { exchange, category } = market;
  return [
    `${tickersPrefix(exchange, category)}*`,
    `${rejectedPrefix(exchange, category)}*`,
    markerKey(market),
    `${unreadableMarkersPrefix(market)}*`,
    `${listingsPrefix(market)}*`,
    `${failuresPrefix(market)}*`,
  ];
}

/** @param source the name of the source that polls the market */
export function readByPolls(market: Market, source: string): string[] {
  return [
    `${tickersPrefix(market.exchange, market.category)}*`,
    markerKey(market),
    markerKeyOfSource(source),
  ];
}
