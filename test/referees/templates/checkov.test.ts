import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildApp, CHECKED_STAGES } from '../../infra/synthesised.ts';
import { pythonTool } from '../../python/python-tool.ts';

const run = promisify(execFile);

interface Check {
  check_id: string;
  resource: string;
  file_path: string;
  check_result: { suppress_comment?: string };
}

describe('checkov', () => {
  let passed: Check[];
  let failed: Check[];
  let skipped: Check[];
  let acknowledged: string[];

  beforeAll(async () => {
    // dev is part of dev with everything optional.
    const stages = CHECKED_STAGES.filter(([title]) => title !== 'dev');
    const files = stages.flatMap(([, stage, settings]) => {
      const { directory } = buildApp(stage, settings).app.synth();
      return globSync('*.template.json', { cwd: directory }).map((name) => join(directory, name));
    });
    acknowledged = files
      .flatMap((file) => Object.values<Resource>(JSON.parse(readFileSync(file, 'utf8')).Resources))
      .flatMap(({ Metadata }) => Metadata?.checkov?.skip ?? [])
      .map(({ id }) => id);
    const bin = await pythonTool('checkov');
    const { stdout } = await run(
      `${bin}/checkov`,
      [
        '--framework',
        'cloudformation',
        '--skip-download',
        '--soft-fail',
        '--output',
        'json',
        '--file',
        ...files,
      ],
      { maxBuffer: 200_000_000 },
    );
    const { results } = JSON.parse(stdout);
    passed = results.passed_checks;
    failed = results.failed_checks;
    skipped = results.skipped_checks;
  }, 600_000);

  it('finds nothing that is not acknowledged beside the resource, with the reason', () => {
    expect(
      failed.map(({ check_id, file_path, resource }) => `${check_id} ${resource} in ${file_path}`),
    ).toEqual([]);
    expect(skipped.filter(({ check_result }) => !check_result.suppress_comment)).toEqual([]);
    expect(passed.length).toBeGreaterThan(300);
  });

  it('still finds all that is acknowledged', () => {
    const found = new Set(skipped.map(({ check_id }) => check_id));
    expect([...new Set(acknowledged)].filter((id) => !found.has(id))).toEqual([]);
  });
});

interface Resource {
  Metadata?: { checkov?: { skip: { id: string }[] } };
}
