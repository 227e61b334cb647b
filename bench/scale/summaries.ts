import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { tickerIndexOf } from '../../core/market/index-names.ts';
import { tickerId } from '../../core/market/ticker.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import { type BulkDocument, bulkBodies, RawClient } from '../raw-bulk.ts';
import { type GeneratedSeries, tickerAt } from './market.ts';
import type { RunFigures } from './summarise-child.ts';

const CHILD = fileURLToPath(new URL('summarise-child.ts', import.meta.url));
/** As in a function of 512 MB. */
const HEAP = ['--max-old-space-size=256'];
export const TICKS_AN_HOUR = 30;

export interface SummaryFigures {
  /** One hour, in a process of its own, with the hours before it summarised. */
  hourSeconds: number;
  hourPeakMb: number;
  hourCpuSeconds: number;
  /** The first hour of all series: it also looks for older candles of each. */
  firstHourSeconds: number;
  /** Several hours in one run, as after an outage. */
  catchUpHours: number;
  catchUpSeconds: number;
  catchUpPeakMb: number;
  /** A run that finds nothing to do: it looks for late ticks in every hour there is, up to 48. */
  nothingLateSeconds: number;
  nothingLatePeakMb: number;
}

/** @param hours how many hours are caught up with; one more comes before them, and one after */
export async function measureSummaries(
  url: string,
  series: readonly GeneratedSeries[],
  startMs: number,
  hours: number,
): Promise<SummaryFigures> {
  const raw = new RawClient(url, 2);
  await raw.bulk(bulkBodies(ticks(series, startMs, hours + 2)));
  raw.close();
  const at = (hour: number) => new Date(startMs + hour * HOUR_MS).toISOString();
  const [first] = await runs(url, [at(1)]);
  const [catchUp] = await runs(url, [at(hours + 1)]);
  const [hour] = await runs(url, [at(hours + 2)]);
  const [nothing] = await runs(url, [at(hours + 2)]);
  if (!first || !catchUp || !hour || !nothing) throw new Error('A run of summarise reported nothing.');
  if (catchUp.report.hours !== hours || hour.report.hours !== 1 || nothing.report.hours !== 0) {
    throw new Error(`Unexpected reports: ${JSON.stringify([catchUp.report, hour.report, nothing.report])}`);
  }
  return {
    hourSeconds: hour.seconds,
    hourPeakMb: hour.peakMb,
    hourCpuSeconds: hour.cpuSeconds,
    firstHourSeconds: first.seconds,
    catchUpHours: hours,
    catchUpSeconds: catchUp.seconds,
    catchUpPeakMb: catchUp.peakMb,
    nothingLateSeconds: nothing.seconds,
    nothingLatePeakMb: nothing.peakMb,
  };
}

async function runs(url: string, times: readonly string[]): Promise<RunFigures[]> {
  // Its metrics go nowhere.
  const child = fork(CHILD, [url, ...times], {
    execArgv: HEAP,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const figures: RunFigures[] = [];
  child.on('message', (message) => figures.push(message as RunFigures));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`summarise ended with ${code}`);
  return figures;
}

function* ticks(series: readonly GeneratedSeries[], startMs: number, hours: number): Generator<BulkDocument> {
  for (let tick = 0; tick < hours * TICKS_AN_HOUR; tick += 1) {
    for (const [position, each] of series.entries()) {
      const record = tickerAt(each, position, startMs + (tick * HOUR_MS) / TICKS_AN_HOUR);
      yield { index: tickerIndexOf(record.slot), id: tickerId(record), record };
    }
  }
}
