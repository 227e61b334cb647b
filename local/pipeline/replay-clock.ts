import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from './atomic-file.ts';

/** Where the market replay is: its `now`, kept between runs. */
export interface ReplayPosition {
  /** Epoch ms of the slot that is polled, or was polled last. */
  slotMs: number;
  /** Whether its poll succeeded; else it is polled again. */
  polled: boolean;
}

/** The replay's clock, kept in a file so that a next run (even after a kill) goes on where this one was. */
export class ReplayClock {
  readonly #file: string;
  #position: ReplayPosition | undefined;

  /** @param folder e.g. `.local` */
  constructor(folder: string) {
    this.#file = join(folder, 'replay-clock.json');
    this.#position = readPosition(this.#file);
  }

  /** Undefined before the first poll. */
  get position(): ReplayPosition | undefined {
    return this.#position;
  }

  set(slotMs: number, polled: boolean): void {
    this.#position = { slotMs, polled };
    writeFileAtomically(this.#file, JSON.stringify({ slot: new Date(slotMs).toISOString(), polled }));
  }
}

function readPosition(file: string): ReplayPosition | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { slot, polled } = JSON.parse(text) as { slot: string; polled: boolean };
  return { slotMs: Date.parse(slot), polled };
}
