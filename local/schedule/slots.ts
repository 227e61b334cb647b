import type { ReplayMarket } from '../market-replay/replay-market.ts';
import type { ReplayClock } from '../pipeline/replay-clock.ts';

/** The slots that a schedule polls, and when. Times are epoch ms. */
export interface Slots {
  /** The slot to poll next and when it is due; undefined at the end. The same until `done` or `failed`. */
  next(): { slotMs: number; dueMs: number } | undefined;
  /** The poll of the slot begins. */
  begin(slotMs: number): void;
  /** The slot was polled. */
  done(slotMs: number): void;
  /** The poll of the slot failed: {@link next} returns it again, or gives it up. */
  failed(slotMs: number): void;
}

/**
 * Slots in real time: one per interval from the first poll on. Missed slots are skipped, and a failed one is given up
 * when the next is due.
 */
export function wallClockSlots(samplingIntervalMs: number, now: () => number = Date.now): Slots {
  let nextMs = now();
  const moveOn = (slotMs: number) => {
    const missed = Math.max(0, Math.floor((now() - slotMs) / samplingIntervalMs) - 1);
    nextMs = slotMs + (missed + 1) * samplingIntervalMs;
  };
  return {
    next: () => ({ slotMs: nextMs, dueMs: nextMs }),
    begin: () => {},
    done: moveOn,
    failed(slotMs) {
      if (now() >= slotMs + samplingIntervalMs) moveOn(slotMs);
    },
  };
}

/**
 * The recorded slots of the market replay, as fast as polls finish but at least `intervalMs` apart. A slot is polled
 * until it succeeds, and the next run continues where this one stopped or was killed.
 */
export function replaySlots(market: ReplayMarket, clock: ReplayClock, intervalMs: number): Slots {
  let dueMs = 0;
  return {
    next() {
      const { position } = clock;
      const slotMs =
        position === undefined
          ? market.firstSlot()
          : position.polled
            ? market.nextSlot(position.slotMs)
            : position.slotMs;
      return slotMs === undefined ? undefined : { slotMs, dueMs };
    },
    begin(slotMs) {
      dueMs = Date.now() + intervalMs;
      clock.set(slotMs, false);
    },
    done: (slotMs) => clock.set(slotMs, true),
    failed: () => {},
  };
}
