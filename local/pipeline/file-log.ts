import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../../core/runtime/log.ts';

/** A log in a file, a JSON line an entry: the terminal belongs to the live view. */
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
