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
 * The objects of a market's polls, as key patterns in which `*` matches anything. IAM policies are built from
 * them, so the polls of one market cannot touch another market's objects.
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
