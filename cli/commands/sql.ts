import { Option } from 'commander';
import { CATEGORIES } from '../../core/market/series.ts';
import { createCommand, perform } from '../command.ts';
import { commaList, httpUrl, instant, positiveNumber, withFolderOption } from '../options.ts';
import { runSql, type SqlFlags } from '../sql/run-sql.ts';
import { withLakeObjects } from '../targets/lake.ts';

const help = `The views are tickers, candles, moves and coverage; docs/lake.md describes their columns ("DESCRIBE tickers" lists them).
They contain whole days, which "npm run compact" turns into Parquet. Times are UTC. Only the tables and columns that a query
reads are downloaded, once, to lake-cache/ in the folder. Queries cannot write, or read anything else.

Exit codes: 0 answered, 2 the query is wrong, or could not be answered.

Examples:
  npm run sql -- "SELECT symbol, avg(mean) FROM candles GROUP BY symbol ORDER BY 2 DESC"
  npm run sql -- "SELECT slot, last_price FROM tickers" --symbol BTCUSDT --from 2026-01-01 --to 2026-02-01 --csv
  npm run sql -- "FROM moves WHERE threshold = 0.05" --stage prod --parquet moves.parquet
  npm run sql                                                      a prompt
  npm run sql < query.sql`;

const description = 'Answers SQL over the Parquet files of the lake, with DuckDB on this machine.';

export const command = withFolderOption(
  createCommand('sql', description, { help })
    .argument('[query]', "in DuckDB's SQL; without one, a prompt opens, or the query is read from stdin")
    .option(
      '--stage <name>',
      'a deployed stage instead of this machine; needs AWS credentials that may read its lake',
    )
    .option('--s3 <url>', 'on this machine: use this S3 server', httpUrl),
)
  .option('--from <time>', 'only rows from this time on, UTC (default: all)', instant)
  .option('--to <time>', 'only rows before this time, UTC', instant)
  .option('--exchange <name>', 'only this exchange')
  .addOption(new Option('--category <name>', 'only this category').choices(CATEGORIES))
  .option(
    '--symbol <list>',
    'only these symbols, as their exchanges spell them, such as BTCUSDT,ETHUSDT',
    commaList,
  )
  .option(
    '--max-gb <n>',
    'the most that a query may download from the lake without asking',
    positiveNumber,
    1,
  )
  .option('--cache-gb <n>', 'how much of the lake is kept on this machine', positiveNumber, 10)
  .addOption(new Option('--json', 'print one JSON array, a row on each line').conflicts(['csv', 'parquet']))
  .addOption(new Option('--csv', 'print CSV with a header').conflicts(['json', 'parquet']))
  .addOption(new Option('--parquet <file>', 'write the result to this file').conflicts(['json', 'csv']))
  .action(
    perform((signal, query: string | undefined, flags: SqlFlags) =>
      withLakeObjects(flags, signal, (objects) => runSql(objects, query, flags, signal)),
    ),
  );
