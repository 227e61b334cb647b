import { beforeEach, describe, expect, it } from 'vitest';
import { indexBatch } from '../../../../core/index/index-batch.ts';
import type {
  DeadLetter,
  DeadLetters,
  DocumentOutcome,
  IndexDocument,
  TickerIndex,
} from '../../../../core/index/ports.ts';
import { mskRecord } from '../../../samples/msk-events.ts';
import { SILENT_LOG, sampleTicker } from '../../../samples/tickers.ts';

const NOW = '2026-03-01T12:00:05.000Z';

/** Answers each document by its symbol; any other is stored. */
class ScriptedIndex implements TickerIndex {
  outcomes: Record<string, DocumentOutcome> = {};
  readonly deadlinesMs: number[] = [];
  async create(documents: Iterable<IndexDocument>, deadlineMs: number): Promise<DocumentOutcome[]> {
    this.deadlinesMs.push(deadlineMs);
    return [...documents].map(({ source }) => this.outcomes[JSON.parse(source).symbol] ?? { kind: 'stored' });
  }
}
class KeptLetters implements DeadLetters {
  readonly letters: DeadLetter[] = [];
  async put(letters: readonly DeadLetter[]): Promise<void> {
    this.letters.push(...letters);
  }
}

let index: ScriptedIndex;
let deadLetters: KeptLetters;
beforeEach(() => {
  index = new ScriptedIndex();
  deadLetters = new KeptLetters();
});

const recordsOf = (...symbols: string[]) =>
  symbols.map((symbol, offset) =>
    mskRecord(symbol === 'POISON' ? 'oops' : sampleTicker({ symbol }), { offset }),
  );
const run = (...symbols: string[]) =>
  indexBatch(recordsOf(...symbols), 12_345, {
    index,
    deadLetters,
    log: SILENT_LOG,
    now: () => Date.parse(NOW),
  });

describe('indexing a batch', () => {
  it('counts stored and existing documents', async () => {
    index.outcomes.B = { kind: 'alreadyThere' };
    expect(await run('A', 'B', 'C')).toEqual({
      records: 3,
      indexed: 2,
      alreadyThere: 1,
      deadLetters: 0,
      unstored: [],
    });
    expect(deadLetters.letters).toEqual([]);
  });

  it('passes the deadline on', async () => {
    await run('A');
    expect(index.deadlinesMs).toEqual([12_345]);
  });

  it('reports exactly the records that have to be delivered again, and why', async () => {
    index.outcomes.B = { kind: 'retry', reason: '429 busy: queue full' };
    index.outcomes.D = { kind: 'retry', reason: 'another' };
    expect(await run('A', 'B', 'C', 'D')).toMatchObject({
      indexed: 2,
      unstored: [
        { topic: 'tickers', partition: 0, offset: 1 },
        { topic: 'tickers', partition: 0, offset: 3 },
      ],
      firstReason: '429 busy: queue full',
    });
  });

  it('keeps what OpenSearch refuses, with everything needed to try again', async () => {
    index.outcomes.B = {
      kind: 'refused',
      errorType: 'mapper_parsing_exception',
      reason: '400 failed to parse',
    };
    expect(await run('A', 'B', 'C')).toMatchObject({ indexed: 2, deadLetters: 1, unstored: [] });
    expect(deadLetters.letters).toEqual([
      {
        v: 1,
        topic: 'tickers',
        partition: 0,
        offset: 1,
        value_base64: Buffer.from(JSON.stringify(sampleTicker({ symbol: 'B' }))).toString('base64'),
        error_type: 'mapper_parsing_exception',
        reason: '400 failed to parse',
        produced_at: '2026-03-01T12:00:00.999Z',
        first_seen: NOW,
      },
    ]);
  });

  it('keeps what is not a ticker and indexes the rest', async () => {
    expect(await run('A', 'POISON', 'C')).toMatchObject({ records: 3, indexed: 2, deadLetters: 1 });
    expect(deadLetters.letters).toMatchObject([
      { offset: 1, error_type: 'poison', value_base64: Buffer.from('oops').toString('base64') },
    ]);
  });

  it('keeps the order of the records', async () => {
    const at = (partition: number, offset: number) =>
      mskRecord(sampleTicker({ symbol: `P${partition}O${offset}` }), { partition, offset });
    const ids: string[] = [];
    index.create = async (documents) =>
      Array.from(documents, ({ id }) => {
        ids.push(id);
        return { kind: 'stored' };
      });
    const records = [at(0, 0), at(0, 2), at(0, 4), at(1, 1), at(1, 3)];
    await indexBatch(records, 0, { index, deadLetters, log: SILENT_LOG, now: Date.now });
    expect(ids.map((id) => id.split(':')[2])).toEqual(['P0O0', 'P0O2', 'P0O4', 'P1O1', 'P1O3']);
  });

  it('accepts an empty batch', async () => {
    expect(await indexBatch([], 0, { index, deadLetters, log: SILENT_LOG, now: Date.now })).toMatchObject({
      records: 0,
      unstored: [],
    });
  });

  it('keeps a record without a value', async () => {
    await indexBatch([mskRecord(null)], 0, { index, deadLetters, log: SILENT_LOG, now: Date.now });
    expect(deadLetters.letters).toMatchObject([{ value_base64: null, error_type: 'poison' }]);
  });

  it('keeps the dead letters even if other records have to be delivered again', async () => {
    index.outcomes.A = { kind: 'retry', reason: 'busy' };
    expect(await run('A', 'POISON')).toMatchObject({ deadLetters: 1, unstored: [{ offset: 0 }] });
    expect(deadLetters.letters).toHaveLength(1);
  });

  it('fails as a whole if a dead letter cannot be written', async () => {
    deadLetters.put = async () => {
      throw new Error('S3 is down');
    };
    await expect(run('A', 'POISON')).rejects.toThrow('S3 is down');
  });
});
