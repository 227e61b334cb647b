import { show } from '../../core/text/show.ts';
import type { Database } from '../../stores/duckdb/database.ts';
import { quoted } from '../../stores/duckdb/sql-text.ts';
import { type FormatName, formatOfHeader } from './formats.ts';
import { HistoryFileError } from './history-file-error.ts';
import { type Layout, namedLayout, type TextLayout, textLayout } from './layout.ts';
import { readJsonLines, readParquet, readText } from './rows-sql.ts';
import type { PlainFile } from './unpack.ts';

/** A file that DuckDB can read. */
export interface Source {
  layout: Layout | TextLayout;
  /** If it is not separated values. */
  container?: 'Parquet' | 'JSON lines';
  /** The statement that reads its columns. */
  read(isStrict: boolean): string;
}

/** How to read a file. @throws HistoryFileError if that is unclear */
export async function openSource(
  database: Database,
  plain: PlainFile,
  forced: FormatName | undefined,
): Promise<Source> {
  const { path, head, title } = plain;
  if (head.toString('latin1', 0, 4) === 'PAR1') {
    const columns = await database.rows<{ column_name: string }>(
      `DESCRIBE SELECT * FROM read_parquet(${quoted(path)})`,
    );
    const names = columns.map(({ column_name }) => column_name);
    const layout = namedLayout(names, forced ?? formatOfHeader(names) ?? 'table', { title });
    return { layout, container: 'Parquet', read: () => readParquet(path, layout) };
  }
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (text.startsWith('{')) {
    const names = namesOfJson(title, text.slice(0, text.search(/[\r\n]|$/)));
    const layout = namedLayout(names, forced ?? formatOfHeader(names) ?? 'table', { title, line: 1 });
    return { layout, container: 'JSON lines', read: () => readJsonLines(path, layout) };
  }
  const layout = textLayout(plain, forced);
  return { layout, read: (isStrict) => readText(path, layout, isStrict) };
}

function namesOfJson(title: string, line: string): string[] {
  try {
    return Object.keys(JSON.parse(line));
  } catch (cause) {
    throw new HistoryFileError(title, `${show(line)} is not a JSON object`, {
      line: 1,
      advice: 'JSON is read as one object a line',
      cause,
    });
  }
}
