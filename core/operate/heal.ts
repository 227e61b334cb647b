import * as z from 'zod';
import type { TickerIndex } from '../index/ports.ts';
import { UnreadableObjectError } from '../lake/ndjson.ts';
import { indexFailures } from './index-failures.ts';
import { indexListings } from './index-listings.ts';
import type { Operation, OperationEvent, OperationServices } from './operation.ts';
import type { DeadLetterArchive, SearchHealth } from './ports.ts';
import { RedriveStoppedError, redrive } from './redrive.ts';

/** What one run did. */
export interface HealOutput {
  /** Tickers indexed now. */
  recordsRedriven: number;
  /** Batches that Lambda gave up and that are still not redriven. */
  batchesToRedrive: number;
}

/** The schedule's event. A run ends long before the function's time limit, and the next one goes on. */
export const HEAL_EVENT: OperationEvent = { operation: 'heal', input: {}, sliceMs: 30_000 };

/**
 * Redrives what failed for a transient reason: every batch that Lambda gave up on, and the objects with dead
 * letters that OpenSearch may accept now. It does nothing while OpenSearch is unwell, and leaves what does
 * not fit into one run to the next. Then it copies to the index what the polls noticed: which markets
 * appeared and ended, and when exchanges gave no prices.
 */
export const heal: Operation<Record<string, never>, HealOutput> = {
  name: 'heal',
  input: z.strictObject({}),
  async slice(_input, _cursor, services, { deadlineMs }) {
    let recordsRedriven = 0;
    const counted: TickerIndex = {
      async create(...given) {
        const outcomes = await services.index.create(...given);
        recordsRedriven += outcomes.filter(({ kind }) => kind === 'stored').length;
        return outcomes;
      },
    };
    if (await isWell(services.searchHealth)) {
      await redriveTransient({ ...services, index: counted }, deadlineMs);
      await bringNews(services, deadlineMs);
    }
    const batchesToRedrive = (await Array.fromAsync(services.givenUpBatches.keys())).length;
    services.emit('redrive', {}, { RecordsRedriven: recordsRedriven, BatchesToRedrive: batchesToRedrive });
    return {
      progress: { done: 1, total: 1, unit: 'runs' },
      output: { recordsRedriven, batchesToRedrive },
    };
  },
};

/** Repairs matter more, so an error here is left to the next run. */
export async function bringNews(services: OperationServices, deadlineMs: number): Promise<void> {
  const { listings, failedPolls, log, now } = services;
  if (now() >= deadlineMs) return;
  try {
    if (listings) await indexListings(services, listings, deadlineMs);
    if (failedPolls) await indexFailures(services, failedPolls, deadlineMs);
  } catch (error) {
    log.warn('What polls noticed about exchanges is not in the index yet', { error: error as Error });
  }
}

async function isWell(health: SearchHealth): Promise<boolean> {
  try {
    return (await health.cluster()).status !== 'red';
  } catch {
    return false; // doctor and the alarms say why
  }
}

async function redriveTransient(services: OperationServices, deadlineMs: number): Promise<void> {
  const { log, now } = services;
  // Reading dead letters must leave time for redriving.
  const readUntilMs = (now() + deadlineMs) / 2;
  const deadLetters = withTransientErrors(services, () => now() < readUntilMs);
  try {
    await redrive.slice({}, undefined, { ...services, deadLetters }, { deadlineMs });
  } catch (error) {
    if (!(error instanceof RedriveStoppedError)) throw error;
    log.warn('OpenSearch became unwell while redriving; the next run continues', { error });
  }
}

/** Only the objects with a letter that OpenSearch may accept now; the newest first, as long as there is time. */
function withTransientErrors(services: OperationServices, hasTime: () => boolean): DeadLetterArchive {
  const { deadLetters: archive, isTransient } = services;
  const isDue = async (key: string) => {
    try {
      return (await archive.read(key)).some(isTransient);
    } catch (error) {
      if (error instanceof UnreadableObjectError) return false;
      throw error;
    }
  };
  return {
    put: (letters) => archive.put(letters),
    read: (key) => archive.read(key),
    move: (...given) => archive.move(...given),
    async *keys(afterKey) {
      const keys = await Array.fromAsync(archive.keys(afterKey));
      for (const key of keys.reverse()) {
        if (!hasTime()) return;
        if (await isDue(key)) yield key;
      }
    },
  };
}
