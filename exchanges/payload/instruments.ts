import * as z from 'zod';
import type { AbsentMarket } from '../../core/ingest/ports.ts';
import type { CurrencyPair } from '../../core/market/series.ts';
import { fieldOf } from './fields.ts';

/** One market in an exchange's list of instruments. */
export interface Instrument extends CurrencyPair {
  /** As the tickers spell it. */
  symbol: string;
  /** The exchange's own word for its state. @default it trades */
  state?: string | undefined;
}

/** An exchange's words for the state of a market. Case does not matter. */
export interface InstrumentStates {
  /** Only a market in one of these has a price of today. */
  trading: readonly string[];
  /** Announced, but not open yet. */
  notOpen?: readonly string[];
  /** Suspended, settled or delisted. */
  ended?: readonly string[];
}

/** What is known about the markets of a payload besides their tickers. */
export interface Markets {
  pairOf(symbol: string): CurrencyPair;
  /** Why a market has no ticker; undefined unless it is known not to trade. */
  absence?(symbol: string): Omit<AbsentMarket, 'symbol'> | undefined;
  /** A warning about the list, for people. */
  warning?: string | undefined;
}

/** The names of the fields of an instrument. */
export type InstrumentFields = Readonly<Record<'symbol' | 'base' | 'quote' | 'state', string>>;

/**
 * A list of instruments, without those that have no symbol. A list without any is refused, so that the last good one
 * counts.
 */
export function instrumentList(read: (raw: unknown) => Partial<Instrument>): z.ZodType<Instrument[]> {
  return z
    .array(z.unknown())
    .transform((list) =>
      list.flatMap((raw) => {
        const { symbol, ...rest } = read(raw);
        return symbol === undefined ? [] : [{ symbol, ...rest }];
      }),
    )
    .refine((list) => list.length > 0, 'expected instruments');
}

/** Reads an instrument whose fields are all text. */
export function instrumentFields(fields: InstrumentFields): (raw: unknown) => Partial<Instrument> {
  return (raw) =>
    Object.fromEntries(Object.entries(fields).map(([ours, theirs]) => [ours, textOf(fieldOf(raw, theirs))]));
}

/** Text that is not empty. Half a surrogate pair, which JSON can spell, has no place in a URL or a key. */
export function textOf(raw: unknown): string | undefined {
  return typeof raw === 'string' && raw !== '' ? raw.toWellFormed() : undefined;
}

/**
 * The markets of an exchange according to its list of instruments.
 * @param instruments undefined if the list is unavailable: then every market counts as trading
 * @param bySpelling splits what the list does not have, with the quotes that the list has
 */
export function listedMarkets(
  instruments: readonly Instrument[] = [],
  states: InstrumentStates,
  bySpelling: (symbol: string, quotes?: readonly string[]) => CurrencyPair,
): Markets {
  const bySymbol = new Map(instruments.map((each) => [each.symbol, each]));
  const quotes = [...new Set(instruments.flatMap(({ quote }) => quote ?? []))];
  const kindOf = kinds(states);
  const renamed = renamedState([...bySymbol.values()], kindOf);
  return {
    pairOf(symbol) {
      const { base, quote } = bySymbol.get(symbol) ?? {};
      return base && quote ? { base, quote } : bySpelling(symbol, quotes.length > 0 ? quotes : undefined);
    },
    absence(symbol) {
      const state = bySymbol.get(symbol)?.state;
      if (state === undefined || state === renamed) return undefined;
      const kind = kindOf(state) ?? 'ended';
      return kind === 'trading' ? undefined : { kind, reason: `its state is ${state}` };
    },
    warning:
      renamed &&
      `no market on the list of instruments is trading, and most are in an unknown state, ${renamed}: it is taken to mean trading`,
  };
}

type Kind = 'trading' | AbsentMarket['kind'];

function kinds({ trading, notOpen = [], ended = [] }: InstrumentStates): (state: string) => Kind | undefined {
  const words = new Map<string, Kind>();
  for (const state of ended) words.set(state.toLowerCase(), 'ended');
  for (const state of notOpen) words.set(state.toLowerCase(), 'untraded');
  for (const state of trading) words.set(state.toLowerCase(), 'trading');
  return (state) => words.get(state.toLowerCase());
}

/** An unknown state that most markets are in while none trades: the exchange gave trading another name. */
function renamedState(
  instruments: readonly Instrument[],
  kindOf: (state: string) => Kind | undefined,
): string | undefined {
  const states = Map.groupBy(
    instruments.flatMap(({ state }) => state ?? []),
    (state) => state,
  );
  if ([...states.keys()].some((state) => kindOf(state) === 'trading')) return undefined;
  const [most, { length = 0 } = []] = [...states].sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  return most !== undefined && kindOf(most) === undefined && length * 2 > instruments.length
    ? most
    : undefined;
}
