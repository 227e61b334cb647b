/** What a column means. `price` stands for all four prices, where a history has only one per row. */
export type Role =
  | 'time'
  | 'closeTime'
  | 'symbol'
  | 'open'
  | 'high'
  | 'low'
  | 'close'
  | 'volume'
  | 'turnover'
  | 'price';

/** Where each role is, counted from 0. */
export type Columns = Partial<Record<Role, number>>;

/**
 * The names for each role, without spaces, signs and case; if a header has several, the first in this list
 * counts.
 */
const NAMES: Readonly<Record<Role, readonly string[]>> = {
  time: [
    ...['start', 'opentime', 'timeopen', 'unix', 'unixtimestamp', 'timestamp', 'time', 'datetime', 'date'],
    ...['snappedat', 'starttime', 'ts', 'gmttime', 'utctime'],
  ],
  closeTime: ['closetime', 'timeclose', 'endtime'],
  symbol: ['symbol', 'pair', 'ticker', 'instrument', 'productid', 'market'],
  open: ['open', 'openprice', 'priceopen'],
  high: ['high', 'highprice', 'pricehigh', 'max'],
  low: ['low', 'lowprice', 'pricelow', 'min'],
  close: ['close', 'closeprice', 'priceclose', 'closelast'],
  volume: ['volume', 'vol', 'basevolume', 'volumebase', 'volumefrom', 'volumetraded'],
  turnover: [
    ...['turnover', 'quotevolume', 'volumequote', 'quoteassetvolume', 'volumeto', 'volumecurrency'],
    ...['quotevol', 'amount'],
  ],
  price: ['price', 'lastprice'],
};

const ALL_NAMES = new Set(Object.values(NAMES).flat());

export function plainName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** `Volume BTC`, `Volume_(USD)` → the currency. */
function currencyOfVolume(name: string): string | undefined {
  return /^volume[\s_(]+([A-Z0-9]{2,10})\)?$/.exec(name.trim().replace(/^volume/i, 'volume'))?.[1];
}

/** Whether a line names columns. */
export function isHeader(cells: readonly string[]): boolean {
  return cells.some((cell) => ALL_NAMES.has(plainName(cell)));
}

export interface NamedColumns {
  columns: Columns;
  /** The currencies in which two columns count what was traded: base, then quote. */
  base?: string | undefined;
  quote?: string | undefined;
}

/** What the names of a header mean; names that mean nothing here are left out. */
export function columnsOf(header: readonly string[]): NamedColumns {
  const plain = header.map(plainName);
  const columns: Columns = {};
  for (const [role, names] of Object.entries(NAMES) as [Role, readonly string[]][]) {
    const name = names.find((each) => plain.includes(each));
    if (name !== undefined) columns[role] = plain.indexOf(name);
  }
  const [base, quote] = header.flatMap((name, index) => {
    const currency = currencyOfVolume(name);
    return currency === undefined ? [] : [{ currency, index }];
  });
  if (base) columns.volume ??= base.index;
  if (quote) columns.turnover ??= quote.index;
  return { columns, base: base?.currency, quote: quote?.currency };
}

/** The names that a header has twice, if a role needs one of them. */
export function ambiguousNames(header: readonly string[], columns: Columns): string[] {
  const plain = header.map(plainName);
  const used = new Set(Object.values(columns).map((index) => plain[index]));
  return [...new Set(plain.filter((name, index) => used.has(name) && plain.indexOf(name) < index))];
}

/** The roles that candles need and these columns lack. */
export function missingRoles(columns: Columns): Role[] {
  const prices = columns.price === undefined ? (['open', 'high', 'low', 'close'] as const) : [];
  return (['time', ...prices] as const).filter((role) => columns[role] === undefined);
}
