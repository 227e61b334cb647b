import { printable } from './printable.ts';

/** The longest reason that a dead letter, a report or a log carries, in characters. */
const MAX_REASON = 500;

/** Text from outside, shortened for a message and safe for a terminal. */
export function shorten(text: string, maxLength = MAX_REASON): string {
  return printable(text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text);
}

/** Any value for an error message: JSON, shortened. Never throws. */
export function show(value: unknown): string {
  return value === undefined ? 'nothing' : shorten(jsonOf(value), 81);
}

function jsonOf(value: unknown): string {
  // A number like 1e999 is parsed to Infinity, which JSON cannot express.
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return 'a value that JSON cannot show'; // for example nested too deeply for stringify, though not for parse
  }
}
