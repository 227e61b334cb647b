import * as z from 'zod';
import { withinTime } from '../../runtime/wait.ts';
import type { Operation } from '../operation.ts';
import { isoTime } from '../time-range.ts';
import type { Check, Result } from './check.ts';
import { checkFreshness, checkIndexed, checkIngested, checkSetAside } from './data.ts';
import {
  checkBrokers,
  checkColumns,
  checkLag,
  checkLake,
  checkSearch,
  checkTemplates,
  checkTopic,
  watchMsOf,
} from './services.ts';

const inputSchema = z.strictObject({
  /** The pipeline's `now`. @default the real time */
  now: isoTime.optional(),
  /** Whether polls are expected at this time, so that old data is a failure. @default true */
  collecting: z.boolean().optional(),
});

/** A check that takes longer than this hangs. */
const CHECK_MS = 15_000;

/** Checks that everything the pipeline depends on is there and up to date. It changes no data. */
export const doctor: Operation<z.infer<typeof inputSchema>, Check[]> = {
  name: 'doctor',
  input: inputSchema,
  async slice({ now, collecting = true }, _, services) {
    const { streamHealth, searchHealth, lakeHealth } = services;
    const nowMs = now === undefined ? services.now() : Date.parse(now);
    const checks: [name: string, look: () => Promise<Result>, ifItFails: string, watchMs?: number][] = [
      ['Kafka', () => checkBrokers(streamHealth), 'Check that the brokers run and are reachable from here.'],
      ['topic', () => checkTopic(streamHealth), 'Kafka has to be reachable first.'],
      [
        'consumer lag',
        () => checkLag(streamHealth, collecting, services),
        'Kafka has to be reachable first.',
        watchMsOf(services.batchingWindowMs),
      ],
      [
        'OpenSearch',
        () => checkSearch(searchHealth),
        'Check that OpenSearch runs and is reachable from here.',
      ],
      ['index templates', () => checkTemplates(searchHealth), 'OpenSearch has to be reachable first.'],
      ['columns', () => checkColumns(searchHealth), 'OpenSearch has to be reachable first.'],
      ['lake', () => checkLake(lakeHealth), 'Check that the bucket exists and may be written to.'],
      ['last slot ingested', () => checkIngested(services), 'The lake has to be readable first.'],
      ['last slot indexed', () => checkIndexed(services), 'Lake and OpenSearch have to be readable first.'],
      ['freshness', () => checkFreshness(services, nowMs, collecting), 'The lake has to be readable first.'],
      ['dead letters', () => checkSetAside(services), 'The lake has to be readable first.'],
    ];
    try {
      const output = await Promise.all(checks.map((each) => check(...each)));
      return { progress: { done: output.length, total: output.length, unit: 'checks' }, output };
    } finally {
      await streamHealth.close();
    }
  },
};

/** An error in a check is what the check found. */
async function check(
  name: string,
  look: () => Promise<Result>,
  ifItFails: string,
  watchMs = 0,
): Promise<Check> {
  const limitMs = CHECK_MS + watchMs;
  try {
    const late = () => new Error(`no answer within ${limitMs / 1_000} s`);
    return { name, ...(await withinTime(limitMs, look(), late)) };
  } catch (error) {
    const { name: kind, message } = error as Error;
    return { name, status: 'fail', finding: message || kind, advice: ifItFails };
  }
}
