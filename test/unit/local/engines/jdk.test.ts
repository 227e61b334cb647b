import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  chooseJdk,
  findMaven,
  type JavaInstallation,
  JdkNotFoundError,
  MavenNotFoundError,
  parseJavaMajor,
} from '../../../../local/engines/jdk.ts';

function java(major: number | undefined, foundIn = '/usr/lib/jvm', hasCompiler = true): JavaInstallation {
  return { home: `/jvm/${major}`, foundIn, major, hasCompiler };
}

describe('chooseJdk', () => {
  it('takes the one in JAVA_HOME or on the PATH', () => {
    const found = [java(21), java(25, 'JAVA_HOME')];
    expect(chooseJdk(found, 21)).toEqual({ home: '/jvm/25', java: '/jvm/25/bin/java', major: 25 });
  });

  it('skips those if they are too old', () => {
    expect(chooseJdk([java(17, 'JAVA_HOME'), java(11, 'the java on the PATH'), java(25)], 21)?.major).toBe(
      25,
    );
  });

  it('otherwise takes the oldest that is new enough', () => {
    expect(chooseJdk([java(26), java(17), java(21), java(25)], 21)?.major).toBe(21);
  });

  it('skips those without the compiler and those that do not work', () => {
    expect(chooseJdk([java(21, 'JAVA_HOME', false), java(undefined)], 21)).toBeUndefined();
  });
});

describe('parseJavaMajor', () => {
  it.each([
    ['25.0.3', 25],
    ['21', 21],
    ['26-ea', 26],
    ['1.8.0_412', 8],
    ['unknown', undefined],
  ])('parses %s as %s', (version, major) => {
    expect(parseJavaMajor(version)).toBe(major);
  });
});

describe('JdkNotFoundError', () => {
  it('lists what was found, why it is unsuitable, and what to install', () => {
    const { message } = new JdkNotFoundError(21, [java(17, 'JAVA_HOME'), java(25, '/usr/lib/jvm', false)]);
    expect(message).toContain('/jvm/17 (JAVA_HOME): Java 17, too old');
    expect(message).toContain('Java 25 without the compiler (javac)');
    expect(message).toContain('openjdk-21-jdk');
  });

  it('says that there is no Java at all', () => {
    expect(new JdkNotFoundError(21, []).message).toContain('no Java was found');
  });
});

describe('findMaven', () => {
  it('finds mvn on the PATH', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'maven-'));
    await writeFile(join(folder, 'mvn'), '#!/bin/sh\n');
    await chmod(join(folder, 'mvn'), 0o755);
    expect(await findMaven({ PATH: `/nowhere:${folder}`, HOME: folder })).toBe(join(folder, 'mvn'));
    await rm(folder, { recursive: true });
  });

  it('says what to install if it is missing', async () => {
    const error = await findMaven({ PATH: '/nowhere', HOME: '/nowhere' }).catch(
      (failure: unknown) => failure,
    );
    expect(error).toBeInstanceOf(MavenNotFoundError);
    expect((error as Error).message).toContain('apt install maven');
  });
});
