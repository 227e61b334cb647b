import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { STAGE } from './local-aws.ts';
import type { Stage } from './stage.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** The commands that people run against a deployed stage. */
export function commands(stage: () => Stage): void {
  it('refuses a setting that the deployed stage cannot change, unless it is accepted', async () => {
    const zones = { network: { zones: ['us-east-1a', 'us-east-1b'] } };
    await expect(stage().synth('moved', zones)).rejects.toThrow(
      /is deployed, and\n- network\.zones cannot change from "not set" to \["us-east-1a","us-east-1b"\]: it replaces the subnets/,
    );
    await stage().synth('moved', zones, '-c', 'acceptReplacement=network.zones');
  });

  it('is checked by preflight, which finds it deployed, and reports what the endpoint does not answer', async () => {
    const args = ['preflight', '--stage', STAGE, '--settings', stage().settingsFile('first'), '--json'];
    const stdout = await new Promise<string>((resolve) => {
      const options = { env: { ...process.env, ...stage().local.environment } };
      execFile(process.execPath, [main, ...args], options, (_, text) => resolve(text));
    });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; finding: string }[] };
    const found = Object.fromEntries(checks.map(({ name, ...check }) => [name, check]));
    expect(found.account).toMatchObject({ status: 'ok' });
    expect(found.stage).toMatchObject({ status: 'ok', finding: expect.stringContaining('is deployed') });
    expect(found.bootstrap).toMatchObject({ status: 'ok' });
    expect(found['source bybit']).toMatchObject({ status: 'ok' });
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
  });

  it('gives a user of OpenSearch a new password, with which setup signs in', async () => {
    const { identities } = stage().local;
    const before = await identities.passwordIn(stage().stateful.MasterUserSecretArn);
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [main, 'rotate', '--stage', STAGE],
      { env: { PATH: process.env.PATH, ...stage().local.environment } },
    );
    const after = await identities.passwordIn(stage().stateful.MasterUserSecretArn);
    expect(after).not.toBe(before);
    expect(stdout).toMatch(/^✔ The user master of stage dev has a new password/);
    expect(stdout + stderr).not.toContain(after);
  });
}
