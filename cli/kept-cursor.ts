import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DAY_MS } from '../core/market/time.ts';
import type { Slice } from '../core/operate/operation.ts';
import { formatCount, formatTime } from '../core/text/format.ts';
import { readTextIfThere, writeFileAtomically } from '../local/atomic-file.ts';

/** An interrupted command is the same one only on the same stores: their data is what the cursor points into. */
export interface KeptCommand {
  /** See `Target.place`. */
  place: readonly string[];
  operation: string;
  /** What the user asked for. */
  command: unknown;
}

interface KeptCursor extends KeptCommand {
  cursor: unknown;
  progress: Slice<unknown>['progress'];
  /** ISO 8601 UTC. */
  savedAt: string;
}

/** After this long, the user expects the command to start over. */
const KEPT_MS = DAY_MS;

/** Where an interrupted command stopped: a file in the pipeline's folder. */
export class CursorFile {
  readonly #command: KeptCommand;
  readonly #file: string;
  readonly #now: () => number;

  constructor(folder: string, command: KeptCommand, now: () => number = Date.now) {
    const { place, operation, command: asked } = command;
    const hash = createHash('sha256')
      .update(JSON.stringify([place, operation, asked]))
      .digest('hex');
    this.#command = command;
    this.#file = join(folder, 'operations', `${hash.slice(0, 16)}.json`);
    this.#now = now;
  }

  /** Undefined if the command was not interrupted, or was too long ago. */
  read(): KeptCursor | undefined {
    const text = readTextIfThere(this.#file);
    if (text === undefined) return undefined;
    const kept: KeptCursor = JSON.parse(text);
    if (this.#now() - Date.parse(kept.savedAt) < KEPT_MS) return kept;
    this.drop();
    return undefined;
  }

  write(cursor: unknown, progress: KeptCursor['progress']): void {
    const savedAt = new Date(this.#now()).toISOString();
    const kept: KeptCursor = { ...this.#command, savedAt, progress, cursor };
    writeFileAtomically(this.#file, JSON.stringify(kept));
  }

  drop(): void {
    rmSync(this.#file, { force: true });
  }
}

/** The line that the user sees: `Resuming from 12 of 48 hours, …`. */
export function resumingLine({ progress: { done, total, unit }, savedAt }: KeptCursor): string {
  const at = formatTime(savedAt.replace(/\.\d+Z$/, '.000Z'));
  return `Resuming from ${formatCount(done)} of ${formatCount(total)} ${unit}, where this command stopped at ${at}. --restart starts over.`;
}
