import { join } from 'node:path';
import { readTextIfThere, writeFileAtomically } from '../atomic-file.ts';

/** The market replay's `now`, kept between runs. */
export interface ReplayPosition {
  /** Epoch ms of the current or last slot. */
  slotMs: number;
  /** Whether its poll succeeded; otherwise it is polled again. */
  polled: boolean;
}

/** The replay's clock, kept in a file so that the next run continues where this one stopped or was killed. */
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

  /** From now on the folder's pipeline uses real time; the position is kept. */
  rest(): void {
    if (this.#position) this.#write(false);
  }

  #write(isNow: boolean): void {
    const { slotMs, polled } = this.#position as ReplayPosition;
    writeFileAtomically(this.#file, JSON.stringify({ slot: new Date(slotMs).toISOString(), polled, isNow }));
  }
}

/** `now` of the folder's pipeline: the replay's clock if that was the last source, else real time. */
export function localNow(folder: string): Date {
  const kept = readClock(clockFile(folder));
  return kept?.isNow ? new Date(kept.slotMs) : new Date();
}

const clockFile = (folder: string) => join(folder, 'replay-clock.json');

function readClock(file: string): (ReplayPosition & { isNow: boolean }) | undefined {
  const text = readTextIfThere(file);
  if (text === undefined) return undefined;
  const { slot, polled, isNow } = JSON.parse(text) as { slot: string; polled: boolean; isNow: boolean };
  return { slotMs: Date.parse(slot), polled, isNow };
}
