import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { command } from '../../../../cli/commands/metrics.ts';
import { METRICS_NAMESPACE } from '../../../../core/runtime/metrics.ts';
import { fileLog } from '../../../../local/pipeline/file-log.ts';
import { localLogOf, logsOf, RUN_BEGINS } from '../../../../local/pipeline/last-run.ts';
import { runHere } from '../../../run-here.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrics-'));
  mkdirSync(logsOf(folder), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (...options: string[]) => runHere(command, '--folder', folder, ...options);

/** The lines of one poll in the log of the ingest function. */
function pollAt(atMs: number, PollsFailed: number): string {
  const Metrics = [{ Name: 'PollsFailed', Unit: 'Count' }];
  const CloudWatchMetrics = [
    { Namespace: METRICS_NAMESPACE, Dimensions: [['service', 'exchange']], Metrics },
  ];
  const emf = {
    _aws: { Timestamp: atMs, CloudWatchMetrics },
    service: 'ingest',
    exchange: 'bybit',
    PollsFailed,
  };
  return `${JSON.stringify(emf)}\n{"level":"INFO","message":"Polled"}\n`;
}

describe('npm run metrics', () => {
  it('shows only the last run, by name and dimensions', async () => {
    const before = Date.now() - 600_000;
    fileLog(localLogOf(folder)).info(RUN_BEGINS);
    const polls = [pollAt(before, 1), pollAt(Date.now(), 1), pollAt(Date.now() + 1, 0)];
    writeFileSync(join(logsOf(folder), 'lambda-ingest.log'), polls.join(''));

    const { code, stdout } = await run('--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).metrics).toMatchObject([
      {
        name: 'PollsFailed',
        dimensions: { service: 'ingest', exchange: 'bybit' },
        unit: 'Count',
        ...{ count: 2, sum: 1, min: 0, max: 1, last: 0 },
      },
    ]);
    expect((await run('--since', '1h')).stdout).toMatch(
      /PollsFailed +service=ingest exchange=bybit +3 +2 +0 +1 +0 +Count/,
    );
  });

  it('lists the services if no metric has the name', async () => {
    writeFileSync(join(logsOf(folder), 'lambda-ingest.log'), pollAt(Date.now(), 0));
    expect(await run('--name', 'nosuch')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/no metric "nosuch".*services are ingest, index/),
    });
  });
});
