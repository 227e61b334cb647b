import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Datapoint,
  emittedIn,
  parseEmf,
  statisticsOf,
} from '../../../../local/pipeline/emitted-metrics.ts';
import { logsOf } from '../../../../local/pipeline/last-run.ts';

const NOON_MS = Date.parse('2026-03-01T12:00:00.000Z');

function lineOf(given: object = {}, atMs = NOON_MS): string {
  return JSON.stringify({
    _aws: {
      Timestamp: atMs,
      CloudWatchMetrics: [
        {
          Namespace: 'Some',
          Dimensions: [['service', 'stage'], ['service']],
          Metrics: [{ Name: 'Bytes', Unit: 'Bytes' }, { Name: 'Age' }],
        },
      ],
    },
    service: 'index',
    stage: 'dev',
    Bytes: [1, 2],
    Age: 0,
    ...given,
  });
}

async function emittedSince(folder: string, sinceMs: number): Promise<Datapoint[]> {
  const found: Datapoint[] = [];
  for await (const datapoint of emittedIn(folder, sinceMs)) found.push(datapoint);
  return found;
}

describe('parsing a line of a function’s log', () => {
  it('gives a datapoint for each metric and each set of dimensions', () => {
    const common = { namespace: 'Some', atMs: NOON_MS };
    const both = { service: 'index', stage: 'dev' };
    expect(parseEmf(lineOf())).toEqual([
      { ...common, name: 'Bytes', unit: 'Bytes', dimensions: both, values: [1, 2] },
      { ...common, name: 'Bytes', unit: 'Bytes', dimensions: { service: 'index' }, values: [1, 2] },
      { ...common, name: 'Age', unit: 'None', dimensions: both, values: [0] },
      { ...common, name: 'Age', unit: 'None', dimensions: { service: 'index' }, values: [0] },
    ]);
  });

  it('gives no datapoint for a metric without a value', () => {
    const names = parseEmf(lineOf({ Age: undefined, Bytes: 'many' })).map(({ name }) => name);
    expect(names).toEqual([]);
  });

  it.each([
    ['another log entry', '{"level":"INFO","message":"Polled"}'],
    ['a log entry that mentions "_aws"', '{"message":"\\"_aws\\"","_aws":{}}'],
    ['text', 'ERROR RequestId: 1 "_aws"'],
    ['half a line', lineOf().slice(0, 90)],
    ['nothing', ''],
  ])('ignores %s', (_, line) => {
    expect(parseEmf(line)).toEqual([]);
  });

  it('is found among the other lines of the functions’ logs, since a given time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'emf-'));
    try {
      expect(await emittedSince(folder, NOON_MS)).toEqual([]);
      mkdirSync(logsOf(folder));
      const lines = ['{"level":"INFO"}', lineOf({}, NOON_MS - 1), lineOf(), 'text'];
      writeFileSync(join(logsOf(folder), 'lambda-index.log'), `${lines.join('\n')}\n`);
      writeFileSync(join(logsOf(folder), 'kafka.log'), lineOf());
      expect(await emittedSince(folder, NOON_MS)).toEqual(parseEmf(lineOf()));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const point = (name: string, exchange: string, atMs: number, ...values: number[]): Datapoint => ({
  namespace: 'Some',
  name,
  unit: 'Count',
  dimensions: { service: 'ingest', exchange },
  atMs,
  values,
});

describe('the statistics of metrics', () => {
  it('are separate for each name and each set of dimensions', async () => {
    const found = await statisticsOf([
      point('PollsFailed', 'kraken', 10, 1),
      point('PollsFailed', 'bybit', 30, 0),
      point('PollsFailed', 'bybit', 10, 4, 2),
      point('BatchesWaiting', 'bybit', 10, 7),
    ]);
    const rows = found.map(({ name, dimensions, count, sum, min, max, last, lastAt }) => {
      return [dimensions.exchange, name, count, sum, min, max, last, Date.parse(lastAt)];
    });
    expect(rows).toEqual([
      ['bybit', 'BatchesWaiting', 1, 7, 7, 7, 7, 10],
      // The last one in time: the functions' logs are read one after the other.
      ['bybit', 'PollsFailed', 3, 6, 0, 4, 0, 30],
      ['kraken', 'PollsFailed', 1, 1, 1, 1, 1, 10],
    ]);
  });

  it('are empty without datapoints', async () => {
    expect(await statisticsOf([])).toEqual([]);
  });
});
