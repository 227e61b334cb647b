import type { CurrencyPair } from '../../core/market/series.ts';
import { show } from '../../core/text/show.ts';
import { ambiguousNames, type Columns, columnsOf, isHeader, missingRoles } from './columns.ts';
import { FORMAT_NAMES, FORMATS, type FormatName, formatOf, formatOfHeader } from './formats.ts';
import { HistoryFileError } from './history-file-error.ts';
import type { PlainFile } from './unpack.ts';

/** How to read a file of price history. */
export interface Layout extends CurrencyPair {
  format: FormatName;
  columns: Columns;
  /** Its columns, whether it names them or not. */
  names: string[];
}

/** How to read one of separated values. */
export interface TextLayout extends Layout {
  separator: string;
  encoding: 'utf-8' | 'utf-16';
  /** Lines before the first row. */
  skip: number;
}

const SEPARATORS = [',', ';', '\t', '|'];
const FORCE = `--format says what it is: ${FORMAT_NAMES.join(', ')}`;

/** @throws HistoryFileError if the columns are unclear */
export function textLayout({ title, head }: PlainFile, forced: FormatName | undefined): TextLayout {
  const encoding = head.readUInt16BE(0) === 0xfffe ? 'utf-16' : 'utf-8';
  const text = new TextDecoder(encoding === 'utf-16' ? 'utf-16le' : encoding).decode(head);
  const lines = text.split(/\r\n|\n|\r/);
  let first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) throw new HistoryFileError(title, 'the file is empty', { advice: 'Download it again' });
  // An address, a comment, or the separator, which Excel writes.
  let isCryptoDataDownload = false;
  while (/^\W*(https?:|www\.)|^#|^sep=/i.test(lines[first] ?? '')) {
    isCryptoDataDownload ||= /cryptodatadownload/i.test(lines[first] ?? '');
    first += 1;
  }
  const line = lines[first] ?? '';
  const separator = SEPARATORS.toSorted((a, b) => line.split(b).length - line.split(a).length)[0] as string;
  const cells = cellsOf(line, separator);
  const place = { title, line: first + 1 };
  if (isHeader(cells)) {
    const guess = isCryptoDataDownload ? 'cryptodatadownload' : formatOfHeader(cells);
    const layout = namedLayout(cells, forced ?? guess ?? 'table', place);
    return { ...layout, separator, encoding, skip: first + 1 };
  }
  if (!/^[\d.+-]+(e\+?\d+)?$|^\d{4}-\d\d-\d\d/i.test(cells[0] ?? '')) {
    const problem = `${show(line)} is neither a header that names time, open, high, low and close, nor a row of a known format`;
    throw new HistoryFileError(title, problem, { line: first + 1, advice: 'Add a header line' });
  }
  const rows = lines.slice(first, -1).map((each) => cellsOf(each, separator));
  const shaped = shapedLayout(rows.length > 0 ? rows : [cells], forced, place);
  return { ...shaped, separator, encoding, skip: first };
}

/** The layout of a table whose columns have names. */
export function namedLayout(
  header: readonly string[],
  format: FormatName,
  { title, line }: { title: string; line?: number },
): Layout {
  const { columns, base, quote } = columnsOf(header);
  const missing = missingRoles(columns);
  if (missing.length > 0) {
    const problem = `there is no column for ${missing.join(', ')} among ${header.map(show).join(', ')}`;
    throw new HistoryFileError(title, problem, {
      line,
      advice: 'A file needs time, open, high, low and close',
    });
  }
  const [twice] = ambiguousNames(header, columns);
  if (twice !== undefined) {
    throw new HistoryFileError(title, `there are two columns ${show(twice)}`, { line, advice: 'Remove one' });
  }
  const { volumeIsTurnover, hasNoVolume } = formatOf(format);
  const { volume, turnover, ...others } = columns;
  const traded = hasNoVolume
    ? {}
    : volumeIsTurnover
      ? { turnover: turnover ?? volume }
      : { volume, turnover };
  const known = Object.entries({ ...others, ...traded }).filter(([, index]) => index !== undefined);
  return {
    format,
    columns: Object.fromEntries(known),
    names: [...header],
    ...(quote ? { base, quote } : {}),
  };
}

/** The layout of rows without a header, by the number of their values and the order of their prices. */
function shapedLayout(
  rows: readonly string[][],
  forced: FormatName | undefined,
  { title, line }: { title: string; line: number },
): Layout {
  const count = rows[0]?.length ?? 0;
  const shapes = FORMAT_NAMES.filter((name) => forced === undefined || name === forced).flatMap((name) => {
    const shape = formatOf(name).shapes?.find((each) => each.count === count);
    return shape ? [{ format: name, columns: shape.columns }] : [];
  });
  const fitting = shapes.length > 1 ? shapes.filter(({ columns }) => pricesFit(rows, columns)) : shapes;
  const [found, another] = fitting;
  if (found && !another) {
    return { ...found, names: Array.from({ length: count }, (_, index) => `column${index}`) };
  }
  const problem =
    forced !== undefined
      ? `a row of ${count} values without a header is not ${FORMATS[forced].title}`
      : another
        ? `rows of ${count} values without a header could be ${fitting.map(({ format }) => FORMATS[format].title).join(' or ')}`
        : `rows of ${count} values without a header are not in a known format`;
  throw new HistoryFileError(title, problem, { line, advice: `Add a header line, or ${FORCE}` });
}

/** Whether the high is the highest and the low the lowest price of every row that has prices. */
function pricesFit(rows: readonly string[][], columns: Columns): boolean {
  return rows.every((row) => {
    const price = (index: number | undefined) => Number(row[index ?? -1]);
    const [open, high, low, close] = [columns.open, columns.high, columns.low, columns.close].map(price) as [
      number,
      number,
      number,
      number,
    ];
    return !(Math.max(open, close) > high || Math.min(open, close) < low);
  });
}

/** The values of one line, without their quotes. */
function cellsOf(line: string, separator: string): string[] {
  const cells = line.match(new RegExp(`("(?:[^"]|"")*"|[^"\\${separator}]*)(?:\\${separator}|$)`, 'g')) ?? [];
  const values = cells.map((cell) =>
    cell
      .replace(new RegExp(`\\${separator}$`), '')
      .trim()
      .replace(/^"(.*)"$/s, '$1'),
  );
  // The pattern also finds the nothing after the last value; DuckDB ignores a separator at the end of a line.
  return values.at(-1) === '' ? values.slice(0, -1) : values;
}
