import { setTimeout as wait } from 'node:timers/promises';

/** Retries until it succeeds; if it never does, the last error fails the test. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
  limitMs = 100_000,
): Promise<T> {
  const endMs = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (Date.now() > endMs)
      throw new Error(`not within ${limitMs} ms; the last answer was ${JSON.stringify(answer)}`);
    await wait(500);
  }
}
