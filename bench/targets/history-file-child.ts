import { DuckDBInstance } from '@duckdb/node-api';
import { rowParts } from '../../core/operate/backfill/row-parts.ts';
import { withHistory } from '../../local/history-files/history.ts';
import type { HistoryFigures } from './history-file.ts';

const [file = '', work = ''] = process.argv.slice(2);
const startedMs = performance.now();
const rows = work === 'load' ? await load() : await parse();
const figures: HistoryFigures = {
  rows,
  seconds: (performance.now() - startedMs) / 1_000,
  peakMb: process.resourceUsage().maxRSS / 1_000,
};
process.send?.(figures);

/** All that `backfill` does with a file before it calls the function: read, check, sort, add up, cut into events. */
function load(): Promise<number> {
  return withHistory({ files: [file], nowMs: Date.now() }, async ({ files, candles }) => {
    for await (const part of rowParts(candles())) JSON.stringify(part);
    return files[0]?.rows ?? 0;
  });
}

/** The yardstick: the same library turns the same text into times and numbers, and discards them. */
async function parse(): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const types = { start: 'TIMESTAMP', symbol: 'VARCHAR' };
  const numbers = ['open', 'high', 'low', 'close', 'volume'].map((name) => [name, 'DOUBLE']);
  const columns = [...Object.entries(types), ...numbers];
  const list = columns.map(([name, type]) => `${name}: '${type}'`).join(', ');
  const result = await connection.run(
    `SELECT count(*) AS rows, ${columns.map(([name]) => `max(${name})`).join(', ')}
     FROM read_csv('${file}', header = true, auto_detect = false, delim = ',', quote = '"', columns = {${list}})`,
  );
  return Number((await result.getRowsJS())[0]?.[0]);
}
