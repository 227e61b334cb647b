import { type Category, isCategory, type Market } from '../market/series.ts';
import { LATEST_MS } from '../market/time.ts';

/** One batch in the lake: everything a source returned for one category and slot. */
export interface BatchAddress extends Market {
  /** Epoch ms. */
  slotMs: number;
}

type Root = 'tickers' | 'rejected';

function categoryFolder(root: Root, exchange: string, category: Category): string {
  return `${root}/exchange=${exchange}/category=${category}/`;
}

/** The Hive-style folder of one category's hour, as Athena's partition projection expects it. */
function hourFolder(root: Root, { exchange, category, slotMs }: BatchAddress): string {
  const iso = new Date(slotMs).toISOString();
  return `${categoryFolder(root, exchange, category)}dt=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/`;
}

/** The prefix of a category's batches; their keys sort by slot. */
export function tickersPrefix(exchange: string, category: Category): string {
  return categoryFolder('tickers', exchange, category);
}

/** The prefix of a category's batches of one UTC day; `dayMs` is its start. Its folders are the hours. */
export function tickersDayPrefix({ exchange, category }: Market, dayMs: number): string {
  return `${tickersPrefix(exchange, category)}dt=${new Date(dayMs).toISOString().slice(0, 10)}/`;
}

/** `tickers/exchange=…/category=…/dt=YYYY-MM-DD/hour=HH/<slot in epoch ms>.ndjson.gz` */
export function tickersKey(address: BatchAddress): string {
  return `${hourFolder('tickers', address)}${address.slotMs}.ndjson.gz`;
}

/** The prefix of a category's rejected records. */
export function rejectedPrefix(exchange: string, category: Category): string {
  return categoryFolder('rejected', exchange, category);
}

/** The rejected records of one attempt at a poll; a second attempt does not overwrite those of the first. */
export function rejectedKey(address: BatchAddress, receivedAtMs: number): string {
  return `${hourFolder('rejected', address)}${address.slotMs}-${receivedAtMs}.ndjson.gz`;
}

/** `state/exchange=…/category=….json`: a market's outbox marker. */
export function markerKey({ exchange, category }: Market): string {
  return `${MARKERS}exchange=${exchange}/category=${category}.json`;
}

/** The prefix of all markers, readable or not. */
export const MARKERS = 'state/';

/** `state/<source>.json`: the marker of all markets of a source, which earlier versions wrote. */
export function markerKeyOfSource(source: string): string {
  return `${MARKERS}${source}.json`;
}

/** Where unreadable markers of a market are kept. */
export function unreadableMarkersPrefix({ exchange, category }: Market): string {
  return `${MARKERS}unreadable/exchange=${exchange}/category=${category}/`;
}

/** Where an unreadable marker is kept, by the slot that found it. */
export function unreadableMarkerKey(market: Market, slotMs: number): string {
  return `${unreadableMarkersPrefix(market)}${slotMs}.json`;
}

/** The reverse of {@link markerKey}; undefined if the key is not a marker's. */
export function parseMarkerKey(key: string): Market | undefined {
  const [, exchange, category] = /^state\/exchange=([^/]+)\/category=([^/]+)\.json$/.exec(key) ?? [];
  return exchange ? { exchange, category: category as Category } : undefined;
}

const TICKERS_KEY =
  /^tickers\/exchange=([^/]+)\/category=([^/]+)\/dt=\d{4}-\d\d-\d\d\/hour=\d\d\/(\d+)\.ndjson\.gz$/;

/**
 * The reverse of {@link tickersKey}; undefined if the key is not a batch's. A key that only resembles one, such as in the
 * folder of another hour or with a slot that is no time, is not a batch's either.
 */
export function parseTickersKey(key: string): BatchAddress | undefined {
  const [, exchange, category, slot] = TICKERS_KEY.exec(key) ?? [];
  const slotMs = Number(slot);
  if (!exchange || !isCategory(category) || !(slotMs <= LATEST_MS)) return undefined;
  const address = { exchange, category, slotMs };
  return tickersKey(address) === key ? address : undefined;
}
