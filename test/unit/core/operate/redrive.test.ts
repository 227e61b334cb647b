import { describe, expect, it } from 'vitest';
import type { DeadLetter, DocumentOutcome, IndexDocument } from '../../../../core/index/ports.ts';
import { UnreadableObjectError } from '../../../../core/lake/ndjson.ts';
import type { OperationServices } from '../../../../core/operate/operation.ts';
import { RedriveStoppedError, redrive } from '../../../../core/operate/redrive.ts';
import { SILENT_LOG, SLOT, SLOT_MS, sampleTicker } from '../../../samples/tickers.ts';

/** Dead letters: each object has one of a ticker with the object's name as its symbol. */
function world(names: readonly string[], outcomeOf: (symbol: string) => DocumentOutcome) {
  const moved: string[] = [];
  const letterOf = (symbol: string): DeadLetter => ({
    v: 1,
    topic: 'tickers',
    partition: 0,
    offset: names.indexOf(symbol),
    value_base64: Buffer.from(JSON.stringify(sampleTicker({ symbol }))).toString('base64'),
    error_type: 'mapper_parsing_exception',
    reason: 'refused',
    produced_at: SLOT,
    first_seen: SLOT,
  });
  const services = {
    index: {
      create: async (documents: Iterable<IndexDocument>) =>
        Array.from(documents, ({ id }) => outcomeOf(id.split(':')[2] as string)),
    },
    givenUpBatches: { async *keys() {} },
    deadLetters: {
      async *keys(afterKey = '') {
        for (const name of names) if (name > afterKey && !moved.includes(name)) yield name;
      },
      read: async (key: string) => {
        if (key.startsWith('BAD')) throw new UnreadableObjectError(key, new Error('not gzip'));
        return [letterOf(key)];
      },
      move: async (key: string) => {
        moved.push(key);
      },
    },
    log: SILENT_LOG,
    now: () => SLOT_MS,
  } as unknown as OperationServices;
  /** One object a slice. */
  const run = async () => {
    const problems: string[] = [];
    let cursor: unknown;
    do {
      const slice = await redrive.slice({}, cursor, services, { deadlineMs: 0 });
      problems.push(...slice.output.problems);
      cursor = slice.cursor;
    } while (cursor !== undefined);
    return problems;
  };
  return { moved, run, services };
}

const STORED: DocumentOutcome = { kind: 'stored' };
const REFUSED: DocumentOutcome = { kind: 'refused', errorType: 'odd_exception', reason: 'refused' };
const RETRY: DocumentOutcome = { kind: 'retry', reason: '400 odd_exception: never seen before' };

describe('redrive', () => {
  it('passes over an object that OpenSearch never finishes, reports it, and redrives the rest', async () => {
    const { moved, run } = world(['A', 'B', 'C', 'D'], (symbol) => (symbol === 'B' ? RETRY : STORED));
    expect(await run()).toEqual([expect.stringMatching(/all records of B: 400 odd_exception/)]);
    expect(moved).toEqual(['A', 'C', 'D']);
  });

  it('passes over an object that cannot be read', async () => {
    const { moved, run } = world(['A', 'BAD', 'C'], () => STORED);
    expect(await run()).toEqual(['BAD cannot be read: not gzip']);
    expect(moved).toEqual(['A', 'C']);
  });

  it('continues however many objects are unfinished, if others between them are finished', async () => {
    const ill = ['A', 'B', 'D', 'E', 'G'];
    const { moved, run } = world([...'ABCDEFGH'], (symbol) => (ill.includes(symbol) ? RETRY : STORED));
    expect(await run()).toHaveLength(ill.length);
    expect(moved).toEqual(['C', 'F', 'H']);
  });

  it('stops after three unfinished objects in a row, also over several slices: OpenSearch is ill', async () => {
    const { moved, run } = world([...'ABCDEFGH'], (symbol) => (symbol > 'B' ? RETRY : STORED));
    await expect(run()).rejects.toThrow(RedriveStoppedError);
    expect(moved).toEqual(['A', 'B']);
  });

  it('stops if none of a few objects can be finished', async () => {
    await expect(world(['A'], () => RETRY).run()).rejects.toThrow('run redrive again');
    await expect(world(['A', 'B'], () => RETRY).run()).rejects.toThrow('run redrive again');
  });

  it('ends a slice before it returns more than a Lambda can', async () => {
    const { services } = world([...'ABCDE'], () => REFUSED);
    const { deadLetters } = services;
    const many = { ...deadLetters, read: async (key: string) => lettersOf(await deadLetters.read(key)) };
    const lettersOf = ([letter]: DeadLetter[]) =>
      Array.from({ length: 1_000 }, (_, offset) => ({ ...(letter as DeadLetter), offset }));
    const slice = (cursor: unknown) =>
      redrive.slice({}, cursor, { ...services, deadLetters: many }, { deadlineMs: SLOT_MS + 60_000 });
    const first = await slice(undefined);
    expect(first.output.stay).toHaveLength(2_000);
    expect((await slice(first.cursor)).output.stay).toHaveLength(2_000);
  });
});
