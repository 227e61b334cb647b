import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClosingReport } from '../../cli/start/closing-report.ts';
import { services } from './services.ts';

export const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Options to use the engines of the test run instead of starting others. */
export const ON_SHARED_ENGINES = [
  '--kafka',
  services.kafka,
  '--opensearch',
  services.openSearch,
  '--s3',
  services.s3,
];

/** `npm start --` with these arguments, in its own process group like a terminal's. */
export function start(args: string[]) {
  const child = spawn(process.execPath, [MAIN, 'start', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  return {
    child,
    text: () => stdout + stderr,
    /** Its exit code, once all it wrote is read. */
    ended: once(child, 'close').then(([code]) => code as number | null),
    report: () => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as ClosingReport,
  };
}
