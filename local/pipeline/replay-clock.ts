import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../atomic-file.ts';

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
    this.#file = clockFile(folder);
    const kept = readClock(this.#file);
    if (kept) this.#position = { slotMs: kept.slotMs, polled: kept.polled };
  }

  /** Undefined before the first poll. */
  get position(): ReplayPosition | undefined {
    return this.#position;
  }

  set(slotMs: number, polled: boolean): void {
    this.#position = { slotMs, polled };
    this.#write(true);
  }

  /** The folder's pipeline follows the clock on the wall from now on; the position is kept. */
  rest(): void {
    if (this.#position) this.#write(false);
  }

  #write(isNow: boolean): void {
    const { slotMs, polled } = this.#position as ReplayPosition;
    writeFileAtomically(this.#file, JSON.stringify({ slot: new Date(slotMs).toISOString(), polled, isNow }));
  }
}

/** `now` of the folder's pipeline: the replay's clock if that was the last source, else the clock on the wall. */
export function localNow(folder: string): Date {
  const kept = readClock(clockFile(folder));
  return kept?.isNow ? new Date(kept.slotMs) : new Date();
}

const clockFile = (folder: string) => join(folder, 'replay-clock.json');

function readClock(file: string): (ReplayPosition & { isNow: boolean }) | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { slot, polled, isNow } = JSON.parse(text) as { slot: string; polled: boolean; isNow: boolean };
  return { slotMs: Date.parse(slot), polled, isNow };
}
