import {
  DuckDBArrayValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { LATEST_MS } from '../../core/market/time.ts';

/** The first time that ISO 8601 writes with a four-digit year. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');

/** A number with all its digits, where a JavaScript number would lose some. */
export class Numeral {
  readonly digits: string;

  constructor(digits: string) {
    this.digits = digits;
  }

  toString(): string {
    return this.digits;
  }
}

/** A value of a query without DuckDB's own classes. Times are ISO 8601, those with a time zone in UTC. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | Numeral
  | PlainValue[]
  | { [name: string]: PlainValue };

const OTHER_TIMES = [
  DuckDBTimestampSecondsValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
];

export function plainValue(value: DuckDBValue): PlainValue {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as PlainValue;
  if (typeof value === 'bigint') return new Numeral(String(value));
  if (value instanceof DuckDBDecimalValue) return new Numeral(value.toString());
  if (value instanceof DuckDBTimestampTZValue) return isoTime(value.micros, 'Z') ?? value.toString();
  if (value instanceof DuckDBTimestampValue) return isoTime(value.micros, '') ?? value.toString();
  if (OTHER_TIMES.some((time) => value instanceof time)) return value.toString().replace(' ', 'T');
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return value.items.map(plainValue);
  if (value instanceof DuckDBStructValue) return plainRecord(Object.entries(value.entries));
  if (value instanceof DuckDBMapValue) {
    return plainRecord(value.entries.map((entry) => [String(plainValue(entry.key)), entry.value]));
  }
  if (value instanceof DuckDBUnionValue) return plainValue(value.value);
  return value.toString();
}

function plainRecord(entries: (readonly [string, DuckDBValue])[]): { [name: string]: PlainValue } {
  return Object.fromEntries(entries.map(([name, value]) => [name, plainValue(value)]));
}

/** Undefined outside of the years that ISO 8601 writes with four digits, and for infinity. */
function isoTime(micros: bigint, zone: string): string | undefined {
  const ms = Number(micros / 1_000n) - (micros % 1_000n < 0n ? 1 : 0);
  if (!(ms >= FIRST_MS && ms <= LATEST_MS)) return undefined;
  const beyondMs = micros - BigInt(ms) * 1_000n;
  const more = beyondMs === 0n ? '' : String(beyondMs).padStart(3, '0');
  return `${new Date(ms).toISOString().slice(0, -1)}${more}${zone}`;
}
