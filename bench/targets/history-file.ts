import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { MINUTE_MS } from '../../core/market/time.ts';
import { READER_HEAP } from '../../local/history-files/apart.ts';
import { resultOf, type Target } from '../target.ts';
import { seededRandom } from '../tickers.ts';

const CHILD = fileURLToPath(new URL('history-file-child.ts', import.meta.url));
const SYMBOLS = ['ADAUSDT', 'BTCUSDT', 'ETHUSDT', 'XRPUSDT'];
const ROWS = 10_000_000;

/** What a child process reports. */
export interface HistoryFigures {
  rows: number;
  seconds: number;
  peakMb: number;
}

/** A file of 10 million minutes, read and checked for `backfill`, against nothing but parsing it. Each once: it takes minutes. */
export const historyFile: Target = async ({ folder, say }) => {
  const file = join(folder, 'minutes.csv');
  await pipeline(Readable.from(minutes()), createWriteStream(file));
  const measure = async (work: 'load' | 'parse'): Promise<HistoryFigures> => {
    const child = fork(CHILD, [file, work], { execArgv: READER_HEAP });
    const [figures] = (await once(child, 'message')) as [HistoryFigures];
    await once(child, 'exit');
    if (figures.rows !== ROWS) throw new Error(`${work}: ${figures.rows} rows`);
    say(`history file, ${work}: ${figures.seconds.toFixed(1)} s, ${figures.peakMb.toFixed(0)} MB at most`);
    return figures;
  };
  const parse = await measure('parse');
  const load = await measure('load');
  await rm(file);
  const perSecond = ({ rows, seconds }: HistoryFigures) => Math.round(rows / seconds);
  const note = `${ROWS} rows: ${perSecond(load)} rows/s, parse ${perSecond(parse)}`;
  return [
    resultOf(
      'history file / plain parse',
      [parse.seconds / load.seconds],
      { atLeast: 0.15 },
      { unit: '×', note },
    ),
    resultOf('memory for a history file', [load.peakMb], { atMost: 300 }, { unit: 'MB' }),
  ];
};

/** Lines of one minute after the other, all symbols in turn, so that they have to be sorted. */
function* minutes(): Generator<string> {
  const random = seededRandom(1);
  const prices = SYMBOLS.map((_, index) => 10 ** index);
  yield 'start,symbol,open,high,low,close,volume\n';
  for (let minute = 0; minute < ROWS / SYMBOLS.length; minute += 1) {
    const start = new Date(Date.UTC(2020, 0, 1) + minute * MINUTE_MS).toISOString();
    let lines = '';
    for (const [index, symbol] of SYMBOLS.entries()) {
      const open = prices[index] ?? 1;
      const close = open * (1 + (random() - 0.5) * 0.002);
      prices[index] = close;
      const [high, low] = [Math.max(open, close) * 1.000_5, Math.min(open, close) * 0.999_5];
      const texts = [open, high, low, close].map((price) => price.toPrecision(8));
      lines += `${start},${symbol},${texts.join(',')},${(random() * 100).toFixed(4)}\n`;
    }
    yield lines;
  }
}
