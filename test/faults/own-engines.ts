import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { ensureArtifacts } from '../../local/engines/artifacts.ts';
import type { Engine, StartOptions } from '../../local/engines/engine.ts';
import { findJdk } from '../../local/engines/jdk.ts';
import { anyFreePort } from '../../local/engines/ports.ts';

/** An engine that a test may kill and start again on the same port and data. */
export interface MortalEngine {
  /** As of its first start. */
  url: string;
  /** SIGKILL; returns when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startMortal(
  name: string,
  startOne: (options: StartOptions) => Promise<Engine>,
): Promise<MortalEngine> {
  const artifacts = inject('artifactsFolder');
  const jdk = await findJdk();
  const jars = await ensureArtifacts({ folder: artifacts, jdk });
  // Inside of the run's folder: whatever is left is stopped with the run.
  const folder = await mkdtemp(join(inject('runFolder'), `${name}-`));
  const port = await anyFreePort();
  const start = () => startOne({ jdk, jars, folder, port });
  let engine = await start();
  return {
    url: engine.url,
    async kill() {
      process.kill(engine.pid, 'SIGKILL');
      await engine.exited;
    },
    stop: () => engine.stop(),
    async start() {
      engine = await start();
    },
  };
}
