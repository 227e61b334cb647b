import { expect } from 'vitest';

/** Simulates the end of the process: nothing after it happens. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/** Counts the calls to all stores and crashes at one of them, before or just after its effect. */
export class CrashPoint {
  /** Even: before a call; odd: after it. */
  readonly at: number;
  calls = 0;
  constructor(at: number) {
    this.at = at;
  }

  /** The same object with every method call counted. */
  watch<T extends object>(store: T): T {
    return new Proxy(store, {
      get: (target, property) => {
        const member = Reflect.get(target, property, target) as unknown;
        if (typeof member !== 'function') return member;
        return async (...given: unknown[]) => {
          const call = this.calls++;
          if (this.at <= call * 2) throw new Crash(`before ${String(property)}`);
          const answer = await member.apply(target, given);
          if (this.at <= call * 2 + 1) throw new Crash(`after ${String(property)}`);
          return answer;
        };
      },
    });
  }
}

/** Lets the work crash at every step in turn; returns the number of steps. */
export async function walk(attempt: (point: CrashPoint) => Promise<unknown>): Promise<number> {
  for (let at = 0; ; at += 1) {
    const point = new CrashPoint(at);
    const outcome = await attempt(point).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (outcome === undefined) return at;
    // An adapter may have wrapped it.
    expect([outcome, (outcome as Error).cause]).toContainEqual(expect.any(Crash));
  }
}
