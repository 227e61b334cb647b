import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { STAGE_NAMES } from '../../../lib/config/stages.ts';
import { synthesise } from '../../infra/synthesised.ts';
import { pythonTool } from '../../python/python-tool.ts';
import { argumentsOf, commandsIn, type DocumentedCommand } from './commands.ts';

const VALUES = {
  /** With everything that a name, an ARN or a password may contain, also what means something to the command line. */
  any: 'arn:aws:x:y-1:0:z/A-b_c.d+e,f=g@h',
  bucket: 'a-bucket.of-1',
  uuid: randomUUID(),
};

const root = fileURLToPath(new URL('../../..', import.meta.url));
const documents = ['README.md', ...readdirSync(`${root}docs`).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

/** The first command that each alarm's message names. */
function commandsOfAlarms(): DocumentedCommand[] {
  const templates = STAGE_NAMES.flatMap((stage) => Object.values(synthesise(stage)));
  const texts = templates
    .flatMap((template) => Object.values(template.findResources('AWS::CloudWatch::Alarm')))
    .map(({ Properties }) => textOf(Properties.AlarmDescription));
  const commands = new Set(texts.map((text) => /^First: (aws .*)$/m.exec(text)?.[1] ?? ''));
  commands.delete('');
  return [...commands].map((code) => ({ document: 'an alarm', code }));
}

/** A property with values that only a deployment knows. */
function textOf(property: unknown): string {
  if (typeof property === 'string') return property;
  const parts = (property as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join']?.[1];
  return parts ? parts.map(textOf).join('') : VALUES.any;
}

describe('the AWS command line', () => {
  it('takes every command that documents and alarms name', async () => {
    const commands = [
      ...documents.flatMap((name) => commandsIn(name, readFileSync(root + name, 'utf8'))),
      ...commandsOfAlarms(),
    ];
    const all = commands.flatMap(({ document, code }) =>
      argumentsOf(code, VALUES).map((words) => ({ document, words })),
    );
    const calls = [...new Map(all.map((call) => [call.words.join('\0'), call])).values()];
    expect(calls.length).toBeGreaterThan(40);
    // PyPI has version 1 of the AWS command line; parse.py knows what only version 2 has.
    const bin = await pythonTool('awscli');
    const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-aws-'));
    // What the runbook's own get-object would have left.
    writeFileSync(join(folder, 'batch.gz'), '');
    const answer = execFileSync(`${bin}/python`, [fileURLToPath(new URL('parse.py', import.meta.url))], {
      cwd: folder,
      input: JSON.stringify(calls.map(({ words }) => words)),
      env: { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_DEFAULT_REGION: 'us-east-1' },
    });
    rmSync(folder, { recursive: true });
    const problems = (JSON.parse(answer.toString()) as (string | null)[]).flatMap((problem, position) => {
      const { document, words } = calls[position] as (typeof calls)[number];
      return problem === null ? [] : [`${document}: aws ${words.join(' ')}\n  ${problem}`];
    });
    expect(problems).toEqual([]);
  });
});
