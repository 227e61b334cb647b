import type { MSKRecord } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexBatch } from '../../../../core/index/index-batch.ts';
import type {
  DeadLetter,
  DocumentOutcome,
  IndexDocument,
  TickerIndex,
} from '../../../../core/index/ports.ts';
import { processBatch } from '../../../../local/event-sources/batch-processing.ts';
import { mskRecord } from '../../../samples/msk-events.ts';
import { SILENT_LOG, SLOT_MS, sampleTicker } from '../../../samples/tickers.ts';

/** How often OpenSearch is busy before it decides on a record, and its decision. */
interface Fate {
  partition: number;
  busyTimes: number;
  end: 'stored' | 'refused' | 'poison';
}

const fates = fc.array(
  fc.record<Fate>({
    partition: fc.nat(2),
    busyTimes: fc.nat(3),
    end: fc.constantFrom('stored', 'stored', 'stored', 'refused', 'poison'),
  }),
  { minLength: 1, maxLength: 25 },
);

/** An index in which each document meets its fate. */
class FatefulIndex implements TickerIndex {
  readonly stored = new Set<string>();
  readonly #fates: ReadonlyMap<string, Fate>;
  readonly #busy = new Map<string, number>();
  constructor(fatesBySymbol: ReadonlyMap<string, Fate>) {
    this.#fates = fatesBySymbol;
  }

  async create(documents: Iterable<IndexDocument>): Promise<DocumentOutcome[]> {
    return Array.from(documents, ({ id, source }): DocumentOutcome => {
      if (this.stored.has(id)) return { kind: 'alreadyThere' };
      const { symbol } = JSON.parse(source) as { symbol: string };
      const fate = this.#fates.get(symbol) as Fate;
      const busy = this.#busy.get(id) ?? 0;
      this.#busy.set(id, busy + 1);
      if (busy < fate.busyTimes) return { kind: 'retry', reason: 'busy' };
      if (fate.end === 'refused') return { kind: 'refused', errorType: 'mapping', reason: 'refused' };
      this.stored.add(id);
      return { kind: 'stored' };
    });
  }
}

function recordsOf(all: readonly Fate[]): MSKRecord[] {
  const offsets = new Map<number, number>();
  return all.map(({ partition, end }, at) => {
    const offset = offsets.get(partition) ?? 0;
    offsets.set(partition, offset + 1);
    return mskRecord(end === 'poison' ? 'oops' : sampleTicker({ symbol: `S${at}` }), { partition, offset });
  });
}

function world(all: readonly Fate[]) {
  const index = new FatefulIndex(new Map(all.map((fate, at) => [`S${at}`, fate])));
  const letters = new Map<string, DeadLetter>();
  const deadLetters = {
    put: async (put: readonly DeadLetter[]) => {
      for (const letter of put) letters.set(`${letter.partition}-${letter.offset}`, letter);
    },
  };
  const run = (records: readonly MSKRecord[]) =>
    indexBatch(records, Number.POSITIVE_INFINITY, {
      index,
      deadLetters,
      log: SILENT_LOG,
      now: () => SLOT_MS,
    });
  return { index, letters, run };
}

describe('a batch in which some records fail', () => {
  it('puts every record in exactly one place and reports exactly those that have to be delivered again', async () => {
    await fc.assert(
      fc.asyncProperty(fates, async (all) => {
        const { run, index, letters } = world(all);
        const report = await run(recordsOf(all));
        const { indexed, alreadyThere, deadLetters, unstored } = report;
        expect(indexed + alreadyThere + deadLetters + unstored.length).toBe(all.length);
        expect(indexed).toBe(index.stored.size);
        expect(deadLetters).toBe(letters.size);
        const busy = all.filter(({ busyTimes, end }) => end !== 'poison' && busyTimes > 0);
        expect(unstored).toHaveLength(busy.length);
        const handled = new Set(letters.keys());
        for (const { partition, offset } of unstored) expect(handled).not.toContain(`${partition}-${offset}`);
      }),
    );
  });

  it.each([true, false])(
    'is delivered again until each record is stored or a dead letter, none twice (partial answers: %s)',
    async (partial) => {
      await fc.assert(
        fc.asyncProperty(fates, fc.boolean(), async (all, bisectOnError) => {
          const { run, index, letters } = world(all);
          const records = recordsOf(all);
          const done: MSKRecord[] = [];
          await processBatch(
            records,
            {
              partialBatchResponse: partial,
              bisectOnError,
              maximumRetryAttempts: -1,
              backoff: { initialMs: 0, maxMs: 0 },
            },
            {
              invoke: async (given) => {
                const { unstored } = await run(given);
                if (unstored.length > 0 && !partial) throw new Error('incomplete');
                return {
                  batchItemFailures: unstored.map(({ topic, partition, offset }) => ({
                    itemIdentifier: { partition: `${topic}-${partition}`, offset },
                  })),
                };
              },
              done: async (settled) => void done.push(...settled),
              discard: async () => expect.unreachable('nothing is ever given up'),
              onRetry: () => {},
              isAssigned: () => true,
              now: () => SLOT_MS,
              sleep: async () => {},
            },
          );
          const count = (end: Fate['end']) => all.filter((fate) => fate.end === end).length;
          expect(index.stored.size).toBe(count('stored'));
          expect(letters.size).toBe(count('refused') + count('poison'));
          // Each record is settled once, in the order of its partition.
          expect(new Set(done)).toEqual(new Set(records));
          for (const partition of [0, 1, 2]) {
            const own = (list: readonly MSKRecord[]) =>
              list.filter((record) => record.partition === partition);
            expect(own(done)).toEqual(own(records));
          }
        }),
      );
    },
  );
});
