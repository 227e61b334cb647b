import { describe, expect, it, vi } from 'vitest';
import type { DeadLetter, DocumentOutcome } from '../../../../core/index/ports.ts';
import { UnreadableObjectError } from '../../../../core/lake/ndjson.ts';
import { type HealOutput, heal } from '../../../../core/operate/heal.ts';
import type { OperationServices } from '../../../../core/operate/operation.ts';
import type { DeadLetterArchive, GivenUpBatches } from '../../../../core/operate/ports.ts';
import { SILENT_LOG, sampleTicker } from '../../../samples/tickers.ts';

const encoded = (symbol: string) => Buffer.from(JSON.stringify(sampleTicker({ symbol }))).toString('base64');

function letter(offset: number, error_type: string): DeadLetter {
  return {
    v: 1,
    topic: 'tickers',
    partition: 0,
    offset,
    value_base64: encoded(`L${offset}`),
    error_type,
    reason: 'refused',
    produced_at: '2031-03-01T12:00:00.000Z',
    first_seen: '2031-03-01T12:00:00.000Z',
  };
}

async function* keysOf(objects: ReadonlyMap<string, unknown>) {
  yield* [...objects.keys()].sort();
}

interface World {
  letters?: Record<string, DeadLetter[] | 'unreadable'>;
  batches?: string[];
  status?: string | Error;
  outcome?: DocumentOutcome;
}

/** Runs once and tells what is left. */
async function run({ letters = {}, batches = [], status = 'green', outcome = { kind: 'stored' } }: World) {
  const letterObjects = new Map(Object.entries(letters));
  const batchObjects = new Map(batches.map((key) => [key, key]));
  const created: string[] = [];
  const emit = vi.fn();
  const deadLetters: DeadLetterArchive = {
    put: async () => {},
    keys: () => keysOf(letterObjects),
    async read(key) {
      const found = letterObjects.get(key);
      if (found === 'unreadable') throw new UnreadableObjectError(key, new Error('no gzip'));
      return found ?? [];
    },
    async move(key, _, staying) {
      if (staying.length > 0) letterObjects.set(key, [...staying]);
      else letterObjects.delete(key);
    },
  };
  const givenUpBatches: GivenUpBatches = {
    keys: () => keysOf(batchObjects),
    read: async (key) => ({
      records: [{ topic: 'tickers', partition: 1, offset: 0, timestamp: 1, value: encoded(key) }],
      givenUpMs: 1,
    }),
    delete: async (key) => void batchObjects.delete(key),
  };
  const services: Partial<OperationServices> = {
    deadLetters,
    isTransient: ({ error_type }) => error_type !== 'poison',
    givenUpBatches,
    searchHealth: {
      async cluster() {
        if (status instanceof Error) throw status;
        return { status, nodes: 1, shards: 1 };
      },
      templates: async () => [],
      olderMonths: async () => [],
    },
    index: {
      async create(documents) {
        const ids = Array.from(documents, ({ id }) => id.split(':')[2] ?? '');
        created.push(...ids);
        return ids.map(() => outcome);
      },
    },
    log: SILENT_LOG,
    emit,
    now: Date.now,
  };
  const deadlineMs = Date.now() + 10_000;
  const { output } = await heal.slice({}, undefined, services as OperationServices, { deadlineMs });
  const [[, , metrics] = []] = emit.mock.calls;
  return {
    output: output as HealOutput,
    created,
    metrics,
    left: [...letterObjects.keys(), ...batchObjects.keys()],
  };
}

describe('heal', () => {
  it('redrives batches that were given up, and letters whose error may have passed', async () => {
    const { created, left, metrics } = await run({
      batches: ['B1', 'B2'],
      letters: { a: [letter(1, 'index_closed_exception')], b: [letter(2, 'validation_exception')] },
    });
    expect(created.sort()).toEqual(['B1', 'B2', 'L1', 'L2']);
    expect(left).toEqual([]);
    expect(metrics).toEqual({ RecordsRedriven: 4, BatchesToRedrive: 0 });
  });

  it('leaves letters alone that only a fix helps, and objects that are no letters', async () => {
    const letters = {
      poison: [letter(1, 'poison')],
      odd: 'unreadable' as const,
    };
    const { created, left, metrics } = await run({ letters });
    expect(created).toEqual([]);
    expect(left).toEqual(['poison', 'odd']);
    expect(metrics).toEqual({ RecordsRedriven: 0, BatchesToRedrive: 0 });
  });

  it.each([['red'], [new Error('ECONNREFUSED')]])(
    'does nothing while OpenSearch is ill: %s',
    async (status) => {
      const { output, created, metrics } = await run({ batches: ['B1'], status });
      expect(output).toEqual({ recordsRedriven: 0, batchesToRedrive: 1 });
      expect(created).toEqual([]);
      expect(metrics).toEqual({ RecordsRedriven: 0, BatchesToRedrive: 1 });
    },
  );

  it('leaves the rest to the next run when OpenSearch falls ill, which is no error', async () => {
    const { output, metrics } = await run({
      batches: ['B1', 'B2'],
      outcome: { kind: 'retry', reason: 'busy' },
    });
    expect(output).toEqual({ recordsRedriven: 0, batchesToRedrive: 2 });
    expect(metrics).toEqual({ RecordsRedriven: 0, BatchesToRedrive: 2 });
  });
});
