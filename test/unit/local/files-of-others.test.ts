import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NotOurFileError, writeFileAtomically } from '../../../local/atomic-file.ts';
import { stopLeftovers, writePidFile } from '../../../local/engines/pid-file.ts';
import { identifyProcess, isSameProcess } from '../../../local/engines/process-identity.ts';
import { isLocked, takeLock } from '../../../local/pipeline/lock.ts';

let folder: string;
/** A file outside of the pipeline's folder, as the one whose symbolic link somebody plants. */
let victim: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-others-'));
  victim = join(folder, 'victim');
  writeFileSync(victim, 'precious');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function plantLink(name: string, target = victim): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  symlinkSync(target, join(folder, name));
}

/** A process of this user that is no engine. */
async function bystander(): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1_000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return child as ChildProcess & { pid: number };
}

describe('a folder in which somebody else has planted files', () => {
  it.each(['run/s3.json', 'run/s3.json.new', 'lock.json.new', 'endpoints.json', 'endpoints.json.new'])(
    'does not make us write through the symbolic link %s',
    (name) => {
      plantLink(name);
      const file = join(folder, name.replace('.new', ''));
      writeFileAtomically(file, 'ours');
      expect(readFileSync(victim, 'utf8')).toBe('precious');
      expect(readFileSync(file, 'utf8')).toBe('ours');
    },
  );

  it('holds only files that nobody else can read', () => {
    const identity = { pid: process.pid, startTime: 'now' };
    writePidFile(join(folder, 'run', 's3.json'), identity, 9000);
    const lock = takeLock(folder);
    for (const name of ['run/s3.json', 'lock.json']) {
      expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    }
    lock.release();
  });

  const plants: [how: string, plant: (file: string, text: string) => void][] = [
    [
      'as a symbolic link',
      (file, text) => {
        writeFileSync(victim, text);
        symlinkSync(victim, file);
      },
    ],
  ];
  // Only root can give files away.
  if (process.getuid?.() === 0) {
    plants.push([
      'as a file of another user',
      (file, text) => {
        writeFileSync(file, text);
        chownSync(file, 65_534, 65_534);
      },
    ]);
  }

  it.each(plants)('stops no process that a pid file names, planted %s', async (_, plant) => {
    const child = await bystander();
    const identity = identifyProcess(child.pid);
    if (!identity) throw new Error('the bystander has ended');
    mkdirSync(join(folder, 'run'));
    const file = join(folder, 'run', 'kafka.json');
    plant(file, JSON.stringify(identity));
    expect(await stopLeftovers(folder)).toEqual([]);
    expect(isSameProcess(identity)).toBe(true);
    expect(() => lstatSync(file)).toThrow('ENOENT');
    child.kill();
  });

  it.each(plants)('has no lock that we believe, planted %s', (_, plant) => {
    plant(join(folder, 'lock.json'), JSON.stringify(identifyProcess(process.pid)));
    expect(() => isLocked(folder)).toThrow(NotOurFileError);
    expect(() => takeLock(folder)).toThrow('lock.json');
  });
});
