import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../../core/runtime/log.ts';

/** Writes JSON lines to a file, because the terminal shows the live view. */
export function fileLog(file: string): Log {
  mkdirSync(dirname(file), { recursive: true });
  const write =
    (level: string) =>
    (message: string, detail: Record<string, unknown> = {}) =>
      appendFileSync(
        file,
        `${JSON.stringify({ timestamp: new Date().toISOString(), level, message, ...detail })}\n`,
      );
  return { info: write('INFO'), warn: write('WARN'), error: write('ERROR') };
}
