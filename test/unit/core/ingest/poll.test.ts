import { beforeEach, describe, expect, it } from 'vitest';
import type { PollFailure } from '../../../../core/completeness/failures.ts';
import { parseMarker } from '../../../../core/ingest/marker-text.ts';
import { poll } from '../../../../core/ingest/poll.ts';
import { PollFailedError, type PollReport } from '../../../../core/ingest/report.ts';
import { WrongPayloadError } from '../../../../core/ingest/source-errors.ts';
import { UnreadableObjectError } from '../../../../core/lake/ndjson.ts';
import { type BatchAddress, markerKey } from '../../../../core/lake/ticker-objects.ts';
import type { Category } from '../../../../core/market/series.ts';
import type { RejectedPayload, RejectedTicker } from '../../../../core/market/ticker.ts';
import { MINUTE_MS } from '../../../../core/market/time.ts';
import type { PollBudget } from '../../../../core/runtime/budgets.ts';
import { SILENT_LOG, sampleTicker } from '../../../samples/tickers.ts';
import { BATCH_BYTES, InMemoryLake, InMemorySource, InMemoryStream, Journal } from './in-memory.ts';

const NOON_MS = Date.parse('2026-03-01T12:00:00.000Z');
/** The n-th poll after noon, every two minutes. */
const slotMs = (n: number) => NOON_MS + n * 2 * MINUTE_MS;
const slot = (n: number) => new Date(slotMs(n)).toISOString();

const BUDGET = (): PollBudget => ({
  fetchDeadlineMs: nowMs + 10_000,
  deadlineMs: nowMs + 20_000,
  finishMs: nowMs + 22_000,
});

let journal: Journal;
let lake: InMemoryLake;
let stream: InMemoryStream;
let source: InMemorySource;
/** The clock stands still unless a test moves it. */
let nowMs: number;
beforeEach(() => {
  journal = new Journal();
  lake = new InMemoryLake(journal);
  stream = new InMemoryStream(journal);
  source = new InMemorySource(journal, { linear: ['BTCUSDT', 'ETHUSDT'], spot: ['BTCUSDT'] });
  nowMs = NOON_MS;
});

/** The reports of the last poll as it progressed. */
let progress: PollReport[];
function run(n: number, budget: Partial<PollBudget> = {}, fetchBeforeLakeCheck = false) {
  progress = [];
  return poll(
    slot(n),
    { ...BUDGET(), ...budget },
    {
      source,
      lake,
      stream,
      log: SILENT_LOG,
      now: () => nowMs,
      fetchBeforeLakeCheck,
      onProgress: (soFar) => progress.push(soFar),
    },
  );
}
const markerOf = (category: Category) =>
  parseMarker(lake.markers.get(markerKey({ exchange: 'bybit', category })) ?? '');
/** By category: the latest slot that the marker says is on the stream. */
const acknowledged = () =>
  Object.fromEntries(
    source.categories.flatMap((category) => {
      const { beyondMs, tickers } = markerOf(category);
      const latest = beyondMs.at(-1);
      return latest === undefined ? [] : [[category, { slot: new Date(latest).toISOString(), tickers }]];
    }),
  );
/** Series and slot number of every record of the stream, in its order. */
const produced = () =>
  stream.records.map(({ key, value }) => [
    key,
    (Date.parse(JSON.parse(value).slot) - NOON_MS) / (2 * MINUTE_MS),
  ]);
/** As after a first poll, in which the exchange was down. */
async function beginMarkers(): Promise<void> {
  for (const category of source.categories) {
    await lake.writeMarker({ exchange: 'bybit', category }, { throughMs: slotMs(-30), beyondMs: [] });
  }
}
const inLake = () => [...lake.batches.values()].flatMap(({ lines }) => lines);
const fetchedCategories = () => source.fetches.map(({ categories }) => categories);

const wrongPayload = (body: string | Buffer) =>
  new WrongPayloadError('another shape', { url: 'http://exchange.example', body: Buffer.from(body) });
const rejectedTicker: RejectedTicker = {
  v: 1,
  exchange: 'bybit',
  category: 'spot',
  slot: slot(0),
  received_at: slot(0),
  url: 'http://exchange.example',
  reason: 'lastPrice: expected a decimal number, got "oops"',
  value: { symbol: 'BADUSDT', lastPrice: 'oops' },
};

describe('a poll with one category that cannot be stored', () => {
  it('fails only when no other write is running: the next poll would miss a batch that arrives later', async () => {
    const landing = Promise.withResolvers<void>();
    const put = lake.putTickers.bind(lake);
    lake.putTickers = async (address, lines) => {
      if (address.category === 'spot') throw new Error('broken on purpose');
      await landing.promise;
      return put(address, lines);
    };
    let failed = false;
    const polling = run(0).catch((error: unknown) => {
      failed = true;
      throw error;
    });
    polling.catch(() => {});
    await new Promise(setImmediate);
    expect(failed).toBe(false);
    landing.resolve();
    await expect(polling).rejects.toThrow('broken on purpose');
    expect(inLake()).toHaveLength(2);
  });
});

describe('a poll that fetches before the lake check', () => {
  const askingAtOnce = (n: number) => run(n, {}, true);

  it('asks the exchange before it knows what is in the lake', async () => {
    const reading = Promise.withResolvers<void>();
    const read = lake.readMarker.bind(lake);
    lake.readMarker = async (market) => {
      await reading.promise;
      return read(market);
    };
    const polling = askingAtOnce(0);
    expect(fetchedCategories()).toEqual([['linear', 'spot']]);
    expect(inLake()).toEqual([]);
    reading.resolve();
    expect(await polling).toMatchObject({
      produced: 3,
      categories: [{ status: 'polled' }, { status: 'polled' }],
    });
  });

  it('ignores the answer for a category that the lake already has', async () => {
    await run(0);
    const before = inLake();
    source.rejected.spot = [rejectedTicker];
    expect(await askingAtOnce(0)).toMatchObject({
      categories: [{ status: 'acknowledged' }, { status: 'acknowledged' }],
    });
    expect(inLake()).toEqual(before);
    expect(lake.rejected.size).toBe(0);
  });

  it('fails with the lake’s own error once the exchange has answered', async () => {
    lake.readMarker = async () => {
      throw new Error('the lake is away');
    };
    await expect(askingAtOnce(0)).rejects.toThrow('the lake is away');
    expect(inLake()).toEqual([]);
  });
});

describe('a poll', () => {
  it('writes every ticker to the lake, then to the stream, then moves the marker', async () => {
    const report = await run(0);
    const effects = journal.steps.filter((step) => /^(fetch|put|produce|write)/.test(step));
    expect(effects).toEqual([
      // The first poll of a market begins its marker.
      'writeMarker linear',
      'writeMarker spot',
      'fetch',
      'putTickers linear',
      'putTickers spot',
      'produce',
      'writeMarker linear',
      'writeMarker spot',
    ]);
    expect(stream.records.map(({ value }) => value)).toEqual(inLake());
    expect(produced()).toEqual([
      ['bybit:linear:BTCUSDT', 0],
      ['bybit:linear:ETHUSDT', 0],
      ['bybit:spot:BTCUSDT', 0],
    ]);
    expect(acknowledged()).toEqual({
      linear: { slot: slot(0), tickers: 2 },
      spot: { slot: slot(0), tickers: 1 },
    });
    expect(report).toEqual({
      source: 'bybit',
      exchange: 'bybit',
      slot: slot(0),
      categories: [
        { category: 'linear', status: 'polled', fetched: 2, rejected: 0 },
        { category: 'spot', status: 'polled', fetched: 1, rejected: 0 },
      ],
      lakeBytes: 2 * BATCH_BYTES,
      produced: 3,
      backlogBatches: 0,
      waitingBatches: 0,
    });
  });

  it('passes the fetch deadline to the source', async () => {
    await run(0, { fetchDeadlineMs: 12_345 });
    expect(source.fetches).toMatchObject([{ deadlineMs: 12_345 }]);
  });

  it('writes rejected tickers before the batch', async () => {
    source.rejected.spot = [rejectedTicker];
    const report = await run(0);
    expect(journal.steps.indexOf('putRejected spot')).toBeLessThan(journal.steps.indexOf('putTickers spot'));
    expect([...lake.rejected.values()]).toEqual([[rejectedTicker]]);
    expect(report.categories[1]).toMatchObject({ fetched: 1, rejected: 1 });
  });

  it('reports an empty answer and writes no batch', async () => {
    source.symbols.spot = [];
    const report = await run(0);
    expect(report.categories[1]).toMatchObject({
      status: 'polled',
      fetched: 0,
      suspicious: 'the exchange returned an empty list',
    });
    expect([...lake.batches.values()].map(({ address }) => address.category)).toEqual(['linear']);
    expect(acknowledged().spot).toEqual({ slot: slot(0), tickers: 0 });
  });

  it('reports an answer without any valid ticker', async () => {
    source.symbols.spot = [];
    source.rejected.spot = [rejectedTicker];
    expect((await run(0)).categories[1]).toMatchObject({ suspicious: 'all 1 tickers were rejected' });
  });

  it.each([
    [4, 2, undefined],
    [5, 2, '2 tickers, less than half of the previous poll’s 5'],
  ])('reports %d tickers and then %d as suspicious: %j', async (before, after, suspicious) => {
    const symbols = (count: number) => Array.from({ length: count }, (_, index) => `C${index}USDT`);
    source.symbols.spot = symbols(before);
    await run(0);
    source.symbols.spot = symbols(after);
    const report = await run(1);
    expect(report.categories[1]?.suspicious?.replace("'", '’')).toBe(suspicious);
    expect(report.categories[1]?.fetched).toBe(after);
  });
});

describe('a poll that asked for each market by itself', () => {
  it.each([
    [4, undefined],
    [5, '2 tickers, less than half of the 5 expected'],
  ])('says that %d were expected; suspicious: %j', async (expected, suspicious) => {
    source.expected.linear = expected;
    const [linear, spot] = (await run(0)).categories;
    expect(linear).toMatchObject({ fetched: 2, expected });
    expect(linear?.suspicious).toBe(suspicious);
    expect(spot).not.toHaveProperty('expected');
  });
});

describe('a poll that partly fails', () => {
  it('continues with the other categories', async () => {
    source.failures.linear = wrongPayload('oops');
    const report = await run(0);
    expect(report.categories).toMatchObject([
      {
        category: 'linear',
        status: 'failed',
        error: { name: 'WrongPayloadError', message: 'another shape' },
      },
      { category: 'spot', status: 'polled' },
    ]);
    expect(produced()).toEqual([['bybit:spot:BTCUSDT', 0]]);
    expect(acknowledged()).toEqual({ spot: { slot: slot(0), tickers: 1 } });
  });

  it('keeps the body that it could not read, as text if it is text', async () => {
    source.failures.linear = wrongPayload('{"half":');
    await run(0);
    expect([...lake.rejected.values()]).toEqual([
      [
        {
          v: 1,
          exchange: 'bybit',
          category: 'linear',
          url: 'http://exchange.example',
          slot: slot(0),
          received_at: slot(0),
          reason: 'another shape',
          body: '{"half":',
        } satisfies RejectedPayload,
      ],
    ]);
  });

  it('keeps the body that it could not read, in base64 if it is not text', async () => {
    source.failures.linear = wrongPayload(Buffer.from([0xff, 0xfe]));
    await run(0);
    expect([...lake.rejected.values()][0]).toMatchObject([{ body_base64: '//4=' }]);
  });

  it('keeps that the exchange failed, or sent nothing, even if that itself fails', async () => {
    const kept: [slotMs: number, category: Category, name: string][] = [];
    const failures = {
      async putFailure({ slotMs, category }: BatchAddress, { name }: PollFailure) {
        kept.push([slotMs, category, name]);
        throw new Error('the lake does not answer');
      },
    };
    source.failures.spot = new WrongPayloadError('no list', { url: 'http://x', body: new Uint8Array() });
    await poll(slot(0), BUDGET(), { source, lake, stream, failures, log: SILENT_LOG, now: () => nowMs });
    source.failures = {};
    source.symbols.spot = [];
    await poll(slot(1), BUDGET(), { source, lake, stream, failures, log: SILENT_LOG, now: () => nowMs });
    expect(kept).toEqual([
      [slotMs(0), 'spot', 'WrongPayloadError'],
      [slotMs(1), 'spot', 'NoTickers'],
    ]);
    expect([...lake.batches.values()].map(({ address }) => address.category)).toEqual(['linear', 'linear']);
  });

  it('does not fetch the failed category’s slot again in a later poll, but fetches the new slot', async () => {
    source.failures.linear = wrongPayload('oops');
    await run(0);
    source.failures = {};
    await run(1);
    expect(acknowledged()).toEqual({
      linear: { slot: slot(1), tickers: 2 },
      spot: { slot: slot(1), tickers: 1 },
    });
  });

  it('fails if no category could be polled and says why for each', async () => {
    source.goDown();
    const error = await run(0).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(PollFailedError);
    expect((error as Error).message).toBe(
      `bybit could not be polled for slot ${slot(0)}. linear: linear is down; spot: spot is down`,
    );
    expect((error as PollFailedError).report.categories).toHaveLength(2);
    expect(((error as Error).cause as AggregateError).errors).toHaveLength(2);
  });
});

describe('the lake as the outbox', () => {
  it.each([
    ['one batch is not written', 'putTickers linear', 1],
    ['the other batch is not written', 'putTickers spot', 1],
    ['nothing is produced', 'produce', 2],
    ['one marker is not moved', 'writeMarker spot', 2],
  ])('loses nothing when %s, and stores nothing twice', async (_, failAt, batchesThen) => {
    await beginMarkers();
    journal.failAt = failAt;
    await expect(run(0)).rejects.toThrow('broken on purpose');
    expect(lake.batches.size).toBe(batchesThen);
    expect(acknowledged()).not.toHaveProperty('spot');

    journal.failAt = undefined;
    await run(0);
    expect(lake.batches.size).toBe(2);
    expect(new Set(stream.records.map(({ value }) => value))).toEqual(new Set(inLake()));
    expect(new Set(produced().map(String)).size).toBe(3);
    expect(acknowledged()).toMatchObject({ linear: { slot: slot(0) }, spot: { slot: slot(0) } });
  });

  it('produces nothing while the lake cannot be written', async () => {
    journal.failAt = 'putTickers';
    await expect(run(0)).rejects.toThrow('broken on purpose');
    expect(stream.records).toEqual([]);
  });

  it('does not fetch what an earlier attempt at the slot stored', async () => {
    journal.failAt = 'putTickers spot';
    await expect(run(0)).rejects.toThrow();
    journal.failAt = undefined;
    const report = await run(0);
    expect(fetchedCategories()).toEqual([['linear', 'spot'], ['spot']]);
    expect(report.categories).toEqual([
      { category: 'linear', status: 'alreadyInLake', fetched: 0, rejected: 0 },
      { category: 'spot', status: 'polled', fetched: 1, rejected: 0 },
    ]);
    expect(report).toMatchObject({ produced: 3, backlogBatches: 0 });
  });

  it('produces its own batch, then the backlog of an outage, slot by slot', async () => {
    journal.failAt = 'produce';
    await expect(run(0)).rejects.toThrow();
    await expect(run(1)).rejects.toThrow();
    journal.failAt = undefined;
    const report = await run(2);
    expect(produced().map(([, n]) => n)).toEqual([2, 2, 2, 0, 0, 0, 1, 1, 1]);
    expect(report).toMatchObject({ produced: 9, backlogBatches: 4, waitingBatches: 0 });
    expect(acknowledged()).toMatchObject({ linear: { slot: slot(2) }, spot: { slot: slot(2) } });
  });

  it('produces the backlog even if the exchange is down', async () => {
    journal.failAt = 'produce';
    await expect(run(0)).rejects.toThrow();
    journal.failAt = undefined;
    source.goDown();
    await expect(run(1)).rejects.toThrow(PollFailedError);
    expect(produced()).toHaveLength(3);
    expect(acknowledged()).toMatchObject({ linear: { slot: slot(0) } });
  });

  it('remembers what was produced before a slot that could not be', async () => {
    journal.failAt = 'produce';
    await expect(run(0)).rejects.toThrow();
    await expect(run(1)).rejects.toThrow();
    journal.failAt = `readTickers linear ${slotMs(1)}`;
    await expect(run(2)).rejects.toThrow('broken on purpose');
    expect(markerOf('linear').beyondMs).toEqual([slotMs(0), slotMs(2)]);
    journal.failAt = undefined;
    expect(await run(2)).toMatchObject({ backlogBatches: 2, waitingBatches: 0 });
    expect(produced().map(([, n]) => n)).toEqual([2, 2, 2, 0, 0, 0, 2, 2, 2, 1, 1, 1]);
  });

  it('keeps a marker for each category', async () => {
    await run(0);
    source.failures.linear = wrongPayload('oops');
    await run(1);
    expect(acknowledged()).toMatchObject({ linear: { slot: slot(0) }, spot: { slot: slot(1) } });
  });

  it('fetches nothing for a slot at the marker and produces its batch in the lake again', async () => {
    await run(0);
    const report = await run(0);
    expect(source.fetches).toHaveLength(1);
    expect(produced().map(([, n]) => n)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(new Set(stream.records.map(({ value }) => value))).toEqual(new Set(inLake()));
    expect(report.categories.map(({ status }) => status)).toEqual(['acknowledged', 'acknowledged']);
  });

  it('fetches nothing for a slot before the marker and does not move the marker back', async () => {
    await run(5);
    const report = await run(3);
    expect(source.fetches).toHaveLength(1);
    expect(report).toMatchObject({ produced: 0, backlogBatches: 0 });
    expect(acknowledged()).toMatchObject({ linear: { slot: slot(5) }, spot: { slot: slot(5) } });
  });

  it('produces the lake’s batch instead of its own if another poll of the slot was faster', async () => {
    const rival = new InMemorySource(new Journal(), { linear: ['RIVALUSDT'], spot: ['RIVALUSDT'] });
    const putTickers = lake.putTickers.bind(lake);
    lake.putTickers = async (address, lines) => {
      if (address.category === 'spot' && lake.batches.size < 2) {
        const [outcome] = await rival.fetch(['spot'], { slot: slot(0), deadlineMs: 0 });
        if (!outcome || !('batch' in outcome)) throw new Error('the rival failed');
        await putTickers(
          address,
          outcome.batch.tickers.map((ticker) => JSON.stringify(ticker)),
        );
      }
      return putTickers(address, lines);
    };
    const report = await run(0);
    expect(report.categories[1]?.status).toBe('alreadyInLake');
    expect(produced()).toEqual([
      ['bybit:linear:BTCUSDT', 0],
      ['bybit:linear:ETHUSDT', 0],
      ['bybit:spot:RIVALUSDT', 0],
    ]);
    expect(new Set(stream.records.map(({ value }) => value))).toEqual(new Set(inLake()));
  });

  it('leaves to the next poll what it has no time for', async () => {
    journal.failAt = 'produce';
    for (const n of [0, 1, 2]) await expect(run(n)).rejects.toThrow();
    journal.failAt = undefined;
    const deadlineMs = nowMs + 1_000;
    const produce = stream.produce.bind(stream);
    stream.produce = async (records) => {
      await produce(records);
      nowMs += 500; // two slots take all the time
    };
    const report = await run(3, { deadlineMs });
    expect(report).toMatchObject({ produced: 6, backlogBatches: 2, waitingBatches: 4 });
    expect(acknowledged()).toMatchObject({ linear: { slot: slot(3) } });

    stream.produce = produce;
    expect(await run(4)).toMatchObject({ produced: 9, backlogBatches: 4, waitingBatches: 0 });
    expect(produced().map(([, n]) => n)).toEqual([3, 0, 4, 1, 2].flatMap((n) => [n, n, n]));
  });

  it('skips and reports an unreadable batch and does not try it again', async () => {
    journal.failAt = 'produce';
    await expect(run(0)).rejects.toThrow();
    journal.failAt = undefined;
    const readTickers = lake.readTickers.bind(lake);
    lake.readTickers = async (address) => {
      if (address.category === 'spot')
        throw new UnreadableObjectError('the spot batch', new Error('no gzip'));
      return readTickers(address);
    };
    const report = await run(1);
    expect(report).toMatchObject({ produced: 5, unreadable: ['the spot batch cannot be read: no gzip'] });
    expect(acknowledged()).toMatchObject({ spot: { slot: slot(1) } });
    expect(await run(2)).not.toHaveProperty('unreadable');
  });

  it('produces the valid lines of a broken batch', async () => {
    const lines = [...inLake(), '{"half', JSON.stringify(sampleTicker({ symbol: 'A', slot: slot(0) }))];
    await lake.putTickers({ exchange: 'bybit', category: 'spot', slotMs: slotMs(0) }, lines);
    const report = await run(1);
    expect(report.unreadable).toEqual([expect.stringMatching(/^tickers\/.*, line 1: not JSON: /)]);
    expect(produced()).toContainEqual(['bybit:spot:A', 0]);
  });

  it('reports its progress even if it throws', async () => {
    journal.failAt = 'produce';
    await expect(run(0)).rejects.toThrow();
    expect(progress.at(-1)).toMatchObject({
      categories: [{ fetched: 2 }, { fetched: 1 }],
      lakeBytes: 2 * BATCH_BYTES,
      produced: 0,
      waitingBatches: 2,
    });
    journal.failAt = `readTickers linear ${slotMs(1)}`;
    lake.batches.set('another', {
      address: { exchange: 'bybit', category: 'linear', slotMs: slotMs(1) },
      lines: [],
    });
    await expect(run(2)).rejects.toThrow();
    expect(progress.at(-1)).toMatchObject({ produced: 6, backlogBatches: 2, waitingBatches: 1 });
  });

  it('reports its result at the end', async () => {
    const report = await run(0);
    expect(progress.at(-1)).toEqual(report);
  });

  it('does not write a marker that has not moved', async () => {
    await beginMarkers();
    journal.steps.length = 0;
    source.goDown();
    await expect(run(1)).rejects.toThrow(PollFailedError);
    expect(journal.steps.filter((step) => step.startsWith('writeMarker'))).toEqual([]);
  });
});
