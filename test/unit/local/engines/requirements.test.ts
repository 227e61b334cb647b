import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  findMaven,
  type JavaInstallation,
  type Jdk,
  JdkNotFoundError,
} from '../../../../local/engines/jdk.ts';
import {
  checkRequirements,
  type Machine,
  MissingRequirementsError,
} from '../../../../local/engines/requirements.ts';

const JDK: Jdk = { home: '/jvm/21', java: '/jvm/21/bin/java', major: 21 };
const OLD: JavaInstallation = { home: '/jvm/17', foundIn: 'JAVA_HOME', major: 17, hasCompiler: true };
const GB = 1_000_000_000;

const complete: Machine = {
  findJdk: async () => JDK,
  findMaven: async () => '/usr/bin/mvn',
  freeDiskBytes: async () => 10 * GB,
  memoryBytes: () => 16 * GB,
};
const without = {
  jdk: {
    findJdk: async () => {
      throw new JdkNotFoundError(21, [OLD]);
    },
  },
  maven: { findMaven: () => findMaven({ PATH: '/nowhere', HOME: '/nowhere' }) },
  disk: { freeDiskBytes: async () => 0.36 * GB },
  memory: { memoryBytes: () => 2 * GB },
};

async function missingOn(machine: Partial<Machine>, needsDownload = true): Promise<string[]> {
  try {
    await checkRequirements('.local', needsDownload, { ...complete, ...machine });
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(MissingRequirementsError);
    return [...(error as MissingRequirementsError).missing];
  }
}

describe('checkRequirements', () => {
  it('returns the JDK of a machine that has everything', async () => {
    expect(await checkRequirements('.local', true, complete)).toBe(JDK);
  });

  it.each([
    [
      'jdk',
      [
        '/jvm/17 (JAVA_HOME): Java 17, too old',
        'apt install openjdk-21-jdk',
        'brew install openjdk@21',
        'winget install',
      ],
    ],
    ['maven', ['apt install maven', 'brew install maven', 'not in winget']],
    ['disk', ['1.5 GB of free disk', '0.3 GB', '--folder']],
    ['memory', ['3.5 GB of memory', '2.0 GB']],
  ] as const)('names a missing %s, and what to do', async (name, words) => {
    const [message = '', ...others] = await missingOn(without[name]);
    expect(others).toEqual([]);
    for (const word of words) expect(message).toContain(word);
  });

  it('names everything that is missing at once', async () => {
    const nothing = { ...without.jdk, ...without.maven, ...without.disk, ...without.memory };
    expect(await missingOn(nothing)).toHaveLength(4);
    await expect(checkRequirements('.local', true, { ...complete, ...nothing })).rejects.toThrow('--compose');
  });

  it('needs neither Maven nor as much disk once the jars are there', async () => {
    expect(await missingOn({ ...without.maven, freeDiskBytes: async () => 0.6 * GB }, false)).toEqual([]);
  });

  it('finds what this machine has, also where the folder does not exist yet', async () => {
    expect(await checkRequirements(join('/tmp', 'not', 'there'), false)).toMatchObject({
      major: expect.any(Number),
    });
  });
});
