import { describe, expect, it } from 'vitest';
import { mergeSlices } from '../../../../cli/operation.ts';
import { type CompactOutput, compact, compactAsScheduled } from '../../../../core/columns/compact.ts';
import type { Manifest } from '../../../../core/columns/manifest.ts';
import { type ColumnFile, columnKey, manifestKey } from '../../../../core/columns/objects.ts';
import type { ColumnMaker, ColumnStore } from '../../../../core/columns/ports.ts';
import { tickerDays } from '../../../../core/columns/ticker-days.ts';
import { tickersKey } from '../../../../core/lake/ticker-objects.ts';
import { DAY_MS } from '../../../../core/market/time.ts';
import type { MetricValues } from '../../../../core/runtime/metrics.ts';
import { SILENT_LOG } from '../../../samples/tickers.ts';

const FIRST_MS = Date.UTC(2024, 0, 1);
const dayAt = (position: number) => new Date(FIRST_MS + position * DAY_MS).toISOString().slice(0, 10);
const endOf = (days: number) => FIRST_MS + days * DAY_MS;
const FOREVER = Number.MAX_SAFE_INTEGER;

/** A lake in memory, whose clock moves with each file that is written. */
class Lake implements ColumnStore {
  readonly objects = new Map<string, string>();
  readonly manifests = new Map<string, Manifest>();
  readonly emitted: MetricValues<'compact'>[] = [];
  readonly written: string[] = [];
  requests = 0;
  nowMs = 0;
  /** Throws for days that cannot be written. */
  check: (file: ColumnFile) => void = () => {};

  addDays(days: number, exchange = 'bybit'): void {
    for (let day = 0; day < days; day += 1) this.add(day, exchange);
  }

  add(day: number, exchange = 'bybit', afterMs = 0): void {
    const slotMs = FIRST_MS + day * DAY_MS + afterMs;
    this.objects.set(tickersKey({ exchange, category: 'spot', slotMs }), 'etag');
  }

  async *list(prefix: string) {
    this.requests += 1;
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    for (const key of keys) yield { key, etag: this.objects.get(key) ?? '', writtenMs: 0 };
  }

  async folders(prefix: string): Promise<string[]> {
    this.requests += 1;
    const inside = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    return [...new Set(inside.map((key) => key.slice(0, key.indexOf('/', prefix.length) + 1)))].sort();
  }

  async read(): Promise<undefined> {}
  async fetchFile(): Promise<void> {}
  async putStates(): Promise<string> {
    return '';
  }

  async readManifest(file: ColumnFile): Promise<Manifest | undefined> {
    this.requests += 1;
    return this.manifests.get(manifestKey(file));
  }

  async putFile(file: ColumnFile): Promise<string> {
    this.objects.set(columnKey(file), 'file');
    return 'file';
  }

  async putManifest(file: ColumnFile, manifest: Manifest): Promise<void> {
    this.objects.set(manifestKey(file), 'manifest');
    this.manifests.set(manifestKey(file), manifest);
  }

  readonly write: ColumnMaker['write'] = async (file, _sources, take) => {
    this.nowMs += 1;
    this.check(file);
    this.written.push(`${file.exchange} ${file.period}`);
    const content = { bytes: 1, sha256: '', rows: 10, symbols: {}, skipped: 1 };
    await take({ path: '', content, problems: [] });
  };

  get services() {
    return {
      store: this,
      makers: [tickerDays(this, this.write)],
      log: SILENT_LOG,
      emit: (_group: string, _own: object, values: object) =>
        void this.emitted.push(values as MetricValues<'compact'>),
      now: () => this.nowMs,
    };
  }

  scheduled(days: number, deadlineMs = FOREVER): Promise<CompactOutput> {
    return compactAsScheduled(endOf(days), this.services, { deadlineMs, endMs: FOREVER });
  }

  /** All slices of a command, each of one file. */
  async command(given: object = {}): Promise<CompactOutput> {
    const outputs: CompactOutput[] = [];
    let cursor: unknown;
    do {
      const input = { now: new Date(endOf(1_000)).toISOString(), ...given };
      const slice = await compact.slice(input, cursor, this.services, { deadlineMs: 0 });
      outputs.push(slice.output);
      cursor = slice.cursor && JSON.parse(JSON.stringify(slice.cursor));
    } while (cursor !== undefined);
    return mergeSlices(outputs);
  }
}

describe('which days are due', () => {
  it('is every day that is over and has no file, the oldest first, whatever the slices', async () => {
    const lake = new Lake();
    lake.addDays(3);
    lake.addDays(2, 'kraken');
    expect(await lake.command({ now: new Date(endOf(3) - 1).toISOString() })).toMatchObject({
      due: 4,
      written: 4,
    });
    expect(lake.written).toEqual([0, 1].flatMap((day) => [`bybit ${dayAt(day)}`, `kraken ${dayAt(day)}`]));
    expect(await lake.command()).toMatchObject({ due: 1, written: 1, upToDate: 4, rows: 10, skipped: 1 });
  });

  it('is limited by a range and an exchange', async () => {
    const lake = new Lake();
    lake.addDays(4);
    lake.addDays(4, 'kraken');
    const range = { from: `${dayAt(1)}T00:00:00.000Z`, to: `${dayAt(3)}T00:00:00.000Z`, exchange: 'kraken' };
    expect(await lake.command({ ...range, dryRun: true })).toMatchObject({ due: 2, written: 0 });
    await lake.command(range);
    expect(lake.written).toEqual([`kraken ${dayAt(1)}`, `kraken ${dayAt(2)}`]);
  });

  it('is one with late ticks, lost ticks or a lost file', async () => {
    const lake = new Lake();
    lake.addDays(5);
    await lake.command();
    lake.written.length = 0;
    lake.add(1, 'bybit', 60_000);
    const { exchange, category } = { exchange: 'bybit', category: 'spot' } as const;
    const file = (day: number) => ({ table: 'tickers', exchange, category, period: dayAt(day) }) as const;
    lake.objects.delete(columnKey(file(2)));
    lake.objects.delete(manifestKey(file(3)));
    lake.objects.set(tickersKey({ exchange, category, slotMs: endOf(4) }), 'another etag');
    await lake.command();
    expect(lake.written).toEqual([1, 2, 3, 4].map((day) => `bybit ${dayAt(day)}`));
  });
});

describe('making files again', () => {
  it('makes those of a range that are up to date', async () => {
    const lake = new Lake();
    lake.addDays(3);
    await lake.command();
    lake.written.length = 0;
    await lake.command({ again: true, to: `${dayAt(1)}T00:00:00.000Z` });
    expect(lake.written).toEqual([`bybit ${dayAt(0)}`]);
  });
});

describe('a scheduled run', () => {
  it('needs few requests for years without a change, and still finds what came late within four weeks', async () => {
    const lake = new Lake();
    lake.addDays(728);
    await lake.scheduled(728);
    lake.requests = 0;
    await lake.scheduled(728);
    // Folders and listings, and two for each day that it looks at: 7, and one in 28.
    expect(lake.requests).toBeLessThanOrEqual(5 + 2 * (7 + 26));
    lake.add(100, 'bybit', 60_000);
    lake.written.length = 0;
    for (let day = 728; day < 728 + 28; day += 1) await lake.scheduled(day);
    expect(lake.written).toEqual([`bybit ${dayAt(100)}`]);
  });

  it('leaves to the next what it has no time for, and says how many files that is', async () => {
    const lake = new Lake();
    lake.addDays(50);
    await lake.scheduled(50, 20);
    expect(lake.emitted.at(-1)).toMatchObject({ FilesWritten: 20, FilesDue: 30, FilesFailed: 0 });
    lake.nowMs = 0;
    await lake.scheduled(50);
    expect(lake.emitted.at(-1)).toMatchObject({ FilesWritten: 30, FilesDue: 0 });
    expect(new Set(lake.written).size).toBe(50);
  });

  it('continues after a day that cannot be written, which stays due', async () => {
    const lake = new Lake();
    lake.addDays(4);
    lake.check = ({ period }) => {
      if (period === dayAt(1)) throw new Error('the disk is full');
    };
    const { problems, ...report } = await lake.scheduled(4);
    expect(report).toMatchObject({ due: 4, written: 3, failed: 1 });
    expect(problems).toEqual([
      expect.stringMatching(`dt=${dayAt(1)}/.* could not be written: the disk is full`),
    ]);
    expect(lake.emitted).toEqual([{ FilesWritten: 3, FilesDue: 1, FilesFailed: 1, LinesSkipped: 3 }]);
  });

  it('gives up if one day after the other cannot be written', async () => {
    const lake = new Lake();
    lake.addDays(10);
    lake.check = () => {
      throw new Error('S3 is down');
    };
    await expect(lake.scheduled(10)).rejects.toThrow('S3 is down');
    expect(lake.nowMs).toBe(3);
  });
});
