import { InvalidArgumentError, Option } from 'commander';
import { CATEGORIES } from '../../core/market/series.ts';
import { hourOf, parseDuration } from '../../core/market/time.ts';
import type { BackfillOutput } from '../../core/operate/backfill/backfill.ts';
import { currencyName, exchangeName, runName, symbolName } from '../../core/operate/backfill/input.ts';
import { counted, formatCount } from '../../core/text/format.ts';
import { CANDLE_CATEGORIES, whyNoCandles } from '../../exchanges/http/candle-source.ts';
import { FORMAT_NAMES } from '../../local/history-files/formats.ts';
import { STEPS } from '../../local/history-files/options.ts';
import { ccxtIdOf, type FetchFlags, fetchCandles } from '../backfill/fetch-candles.ts';
import { type FileFlags, loadFiles } from '../backfill/load-file.ts';
import { type UndoFlags, undoRun } from '../backfill/undo-run.ts';
import { createCommand, perform } from '../command.ts';
import { withRestartOption } from '../operation.ts';
import { commaList, httpUrl, instant, parsed } from '../options.ts';
import { note, print } from '../print.ts';
import { withTarget, withTargetOptions } from '../targets/choose.ts';

type GivenFlags = Partial<FileFlags & FetchFlags & UndoFlags> & Pick<FileFlags, 'folder'>;
type BackfillFlags = GivenFlags & Pick<FileFlags, 'exchange' | 'category'>;

const categoryLines = Object.entries(CANDLE_CATEGORIES).map(
  ([name, categories]) => `  ${name.padEnd(10)}  ${categories.join(', ')}`,
);

const help = `--file reads common downloads: CSV (also .gz and .zip), JSON lines and Parquet. It detects the format by the header or the
columns: our own start,symbol,open,high,low,close,volume; Binance public data; Kraken OHLCVT; CryptoDataDownload; Yahoo
Finance; CoinMarketCap and CoinGecko; TradingView; Kaggle's minutes of Bitstamp; Coinbase; Gemini; and any table that names
its columns like these. Rows of 1 to 30 minutes are added up to hours. Rows may be in any order, and may be repeated; those
without a price are left out. Times are UTC unless they have an offset. If a row is invalid, the error says which line it is
on and what to do, and nothing of any file is written.

--undo removes what a run wrote: its candles, the moves that follow from them, and its objects in the lake. What other runs
wrote is kept, or comes back.

Exit codes: 0 done, 1 undone, but part of the lake cannot be read, 2 failed (an option, a row of the file, the exchange, a store).

Spell symbols as the exchange's tickers do: BTCUSDT (bybit, binance), BTC-USDT or BTC-USDT-SWAP (okx), XXBTZUSD (kraken),
BTC-USD (coinbase). These have history:
${categoryLines.join('\n')}
  ccxt:<id>   whatever ccxt can fetch from that exchange
Kraken serves only the last 720 hours; a note says which of the requested hours are missing.

With --json: {read, candles, moves}: candles found, how many of them were new or changed, moves written. A fetch adds
{hours, notes}: hours requested, and what was not available, if anything; a file adds {files, notes}: which format each was
read as, and what was left out. \`run\` is the name for --undo. All numbers are those of this run. --undo: {run, removed, candles, moves,
objects, problems}.

Examples:
  npm run backfill -- --exchange bybit --category linear --symbols BTCUSDT,ETHUSDT --from 2y
  npm run backfill -- --exchange bybit --category spot --symbols BTCUSDT --from 2024-01-01 --to 2025-01-01 --stage dev
  npm run backfill -- --exchange okx --category linear --symbols BTC-USDT-SWAP --from 90d
  npm run backfill -- --exchange ccxt:gate --category spot --symbols BTC_USDT --from 90d
  npm run backfill -- --file prices.csv.gz --exchange tiingo --category spot
  npm run backfill -- --file 'BTCUSDT-1m-2025-*.zip' --exchange binance --category spot
  npm run backfill -- --file XBTUSD_60.csv --symbol XXBTZUSD --exchange kraken --category spot
  npm run backfill -- --undo 20260131-140000-3f9a`;

const description =
  'Loads recorded candles, so that questions about the past have an answer on the first day: hourly ones fetched from an exchange, or hourly or daily ones from files. The lake keeps them, too, and moves are made from them. Hours with at least two ticks, and half of the polls due, keep the candles made from ticks. Waits for a running summarise or rebuild. If a fetch is interrupted, run the same command again within a day: it resumes where it stopped.';

export const command = withTargetOptions(withRestartOption(createCommand('backfill', description, { help })))
  .option(
    '--exchange <name>',
    `the exchange that the prices are from; to fetch: ${Object.keys(CANDLE_CATEGORIES).join(', ')}, or ccxt:<id> for any other`,
    exchange,
  )
  .addOption(new Option('--category <name>', 'the market they are from').choices(CATEGORIES))
  .option('--symbols <list>', 'the symbols to fetch, separated by commas', commaList)
  .option('--from <time>', 'fetch from this time (UTC), or this long ago, e.g. 90d or 2y', instantOrAgo)
  .option('--to <time>', 'fetch until this time (default: the start of the current hour)', instantOrAgo)
  .option('--source-url <url>', 'fetch from a server that speaks the exchange’s API', httpUrl)
  .addOption(
    new Option('--file <path...>', 'read files, folders, or a pattern in quotes').conflicts([
      'symbols',
      'from',
      'to',
      'sourceUrl',
    ]),
  )
  .addOption(new Option('--format <name>', 'what a file is (default: detected)').choices(FORMAT_NAMES))
  .option('--symbol <name>', 'the symbol, for files that do not name it', checked(symbolName))
  .option('--quote <currency>', 'the quote currency, for files that do not name it', checked(currencyName))
  .addOption(
    new Option('--step <step>', 'the time that a row covers (default: detected)').choices(Object.keys(STEPS)),
  )
  .addOption(
    new Option('--undo <run>', 'remove what a run of this command wrote')
      .argParser(checked(runName))
      .conflicts(['exchange', 'category', 'symbols', 'from', 'to', 'sourceUrl', 'file']),
  )
  .option('--json', 'print the result as one JSON object')
  .action(perform(backfill));

async function backfill(signal: AbortSignal, given: GivenFlags): Promise<number> {
  const { undo, exchange, category } = given;
  if (undo !== undefined) return undoRun({ ...given, undo }, signal);
  if (exchange === undefined || category === undefined) {
    return command.error(
      'error: --exchange and --category are required: they say which market the prices are from',
      { exitCode: 2 },
    );
  }
  const flags = { ...given, exchange, category };
  const result = await (flags.file
    ? loadFiles({ ...flags, file: flags.file }, signal)
    : fetch(flags, signal));
  for (const text of result.notes ?? []) note(`! ${text}`);
  print(flags.json ? JSON.stringify(result) : resultText(flags.exchange, result));
  return 0;
}

function fetch(flags: BackfillFlags, signal: AbortSignal): Promise<BackfillOutput> {
  const { exchange: name, category, symbols, from } = flags;
  if (symbols === undefined || from === undefined) {
    return command.error('error: give --symbols and --from to fetch candles, or --file to read them', {
      exitCode: 2,
    });
  }
  const refusal = !ccxtIdOf(name) && whyNoCandles(name, category);
  if (refusal) command.error(`error: ${refusal}`, { exitCode: 2 });
  return withTarget(flags, ['openSearch', 's3'], signal, (target) =>
    fetchCandles(target, { ...flags, symbols, from }, signal),
  );
}

function resultText(exchange: string, { read, candles, moves, hours, run }: BackfillOutput): string {
  const requested = hours === undefined ? '' : ` (of ${counted(hours, 'hour')})`;
  const undo = run === undefined ? '' : `\n  To take it back: npm run backfill -- --undo ${run}`;
  return `✔ ${counted(read, 'candle')} of ${exchange} read${requested}, ${formatCount(candles)} of them new or changed; ${counted(moves, 'move')} written.${undo}`;
}

/** Whole hours, so that the same command in the same hour is the same work. */
function instantOrAgo(text: string): string {
  if (!/^\d+[a-z]$/i.test(text)) return instant(text);
  return new Date(hourOf(Date.now() - parsed(text, parseDuration))).toISOString();
}

function exchange(text: string): string {
  return ccxtIdOf(text) ? text : checked(exchangeName)(text);
}

/** An option that has to be what the function accepts. */
function checked(schema: typeof exchangeName) {
  return (text: string): string => {
    const { error } = schema.safeParse(text);
    if (error) throw new InvalidArgumentError(`${error.issues[0]?.message}.`);
    return text;
  };
}
