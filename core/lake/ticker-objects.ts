import type { Category } from '../market/series.ts';

/** One batch of the lake: everything one source's category answered in one slot. */
export interface BatchAddress {
  exchange: string;
  category: Category;
  /** Epoch milliseconds. */
  slotMs: number;
}

/** The Hive-style folder of one category's hour, which Athena's partition projection reads. */
function hourFolder(root: 'tickers' | 'rejected', { exchange, category, slotMs }: BatchAddress): string {
  const iso = new Date(slotMs).toISOString();
  return `${categoryFolder(root, exchange, category)}dt=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/`;
}

function categoryFolder(root: 'tickers' | 'rejected', exchange: string, category: Category): string {
  return `${root}/exchange=${exchange}/category=${category}/`;
}

/** Where a category's batches lie; keys under it sort by slot. */
export function tickersPrefix(exchange: string, category: Category): string {
  return categoryFolder('tickers', exchange, category);
}

/** `tickers/exchange=…/category=…/dt=YYYY-MM-DD/hour=HH/<slot in epoch ms>.ndjson.gz` */
export function tickersKey(address: BatchAddress): string {
  return `${hourFolder('tickers', address)}${address.slotMs}.ndjson.gz`;
}

/** Rejected records of one poll attempt; a retry of the slot never overwrites an earlier attempt's. */
export function rejectedKey(address: BatchAddress, receivedAtMs: number): string {
  return `${hourFolder('rejected', address)}${address.slotMs}-${receivedAtMs}.ndjson.gz`;
}

/** The outbox marker of one source. */
export function stateKey(source: string): string {
  return `state/${source}.json`;
}

const TICKERS_KEY =
  /^tickers\/exchange=([^/]+)\/category=([^/]+)\/dt=\d{4}-\d\d-\d\d\/hour=\d\d\/(\d+)\.ndjson\.gz$/;

/** The reverse of {@link tickersKey}; undefined for a key that is not of a batch. */
export function parseTickersKey(key: string): BatchAddress | undefined {
  const match = TICKERS_KEY.exec(key);
  if (!match) return undefined;
  return { exchange: match[1] as string, category: match[2] as Category, slotMs: Number(match[3]) };
}
