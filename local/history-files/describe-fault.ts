import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { show } from '../../core/text/show.ts';
import type { Database } from '../../stores/duckdb/database.ts';
import type { Role } from './columns.ts';
import { HistoryFileError } from './history-file-error.ts';
import { FAULTS, type Fault } from './rows-sql.ts';
import type { Source } from './source.ts';
import type { PlainFile } from './unpack.ts';

/** The error for a row that is not right, with the values as they are in the file. */
export async function describeFault(
  database: Database,
  plain: PlainFile,
  source: Source,
  { n, fault }: { n: bigint; fault: number },
): Promise<HistoryFileError> {
  const { columns } = source.layout;
  // Only what was read before: another column may not even be text.
  const names = Object.values(columns).map((index) => `c${index}`);
  const [row = {}] = await database.rows<Record<string, string | null>>(
    `SELECT * FROM (SELECT row_number() OVER () AS n, ${names.join()} FROM (${source.read(false)})) WHERE n = ${n}`,
  );
  const text = (role: Role) => row[`c${columns[role] ?? columns.price}`] ?? '';
  const [problem, advice] = explain(FAULTS[fault] as Fault, text);
  return new HistoryFileError(plain.title, problem, { line: await lineOf(plain, source, Number(n)), advice });
}

function explain(fault: Fault, text: (role: Role) => string): [problem: string, advice: string] {
  const time = text('time');
  switch (fault) {
    case 'time': {
      const isLate = /^[+-]\d{6}-/.test(time);
      const problem = `${show(time)} is not a time`;
      return isLate
        ? [
            `${problem} of our era`,
            'Microseconds were taken for milliseconds when it was converted: convert it again',
          ]
        : [problem, 'Expected one such as 2024-01-31T14:00:00Z, 2024-01-31 14:00:00, or seconds since 1970'];
    }
    case 'symbol':
      return ['there is no symbol', 'Expected a name such as BTCUSD'];
    case 'open':
    case 'high':
    case 'low':
    case 'close':
      return [
        `${fault} is ${show(text(fault))}`,
        'Expected a price: a number above 0, with a point for decimals',
      ];
    case 'volume':
    case 'turnover':
      return [`${fault} is ${show(text(fault))}`, 'Expected a number, 0 or more'];
    case 'order': {
      const prices = (['open', 'high', 'low', 'close'] as const).map((role) => `${role} ${text(role)}`);
      return [
        `the prices contradict each other: ${prices.join(', ')}`,
        'Expected low <= open, close <= high: correct the row, or remove it',
      ];
    }
    case 'future':
      return [`${show(time)} is in the future`, 'History ends now: check the unit and the year of the times'];
    case 'past':
      return [`${show(time)} is before 2009, when Bitcoin began`, 'Check the unit and the year of the times'];
    case 'none':
    case 'noPrice':
      throw new Error(`A row with ${fault} is not at fault`);
    default:
      return fault satisfies never;
  }
}

/** On which line a row is; blank lines are no rows. */
export async function lineOf(plain: PlainFile, source: Source, row: number): Promise<number | undefined> {
  if (plain.head.toString('latin1', 0, 4) === 'PAR1') return row;
  const skip = 'skip' in source.layout ? source.layout.skip : 0;
  let [line, seen] = [0, 0];
  const input = createReadStream(
    plain.path,
    'skip' in source.layout && source.layout.encoding === 'utf-16' ? 'utf16le' : 'utf8',
  );
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1;
      if (line <= skip || text.trim() === '') continue;
      seen += 1;
      if (seen === row) return line;
    }
    return undefined;
  } finally {
    input.destroy();
  }
}
