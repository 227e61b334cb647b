import type { ServiceUrls } from '../../local/engines/engines.ts';
import { hostFunction, type LocalFunction } from '../../local/pipeline/functions.ts';
import { localNow } from '../../local/pipeline/replay-clock.ts';
import type { Target } from './target.ts';

/** Runs work on the functions of this machine's pipeline, which are hosted for as long as it takes. */
export async function withLocalTarget<T>(
  folder: string,
  stores: ServiceUrls,
  place: readonly string[],
  work: (target: Target) => Promise<T>,
): Promise<T> {
  // A function requires every address, including those it will not use.
  const urls = {
    kafka: stores.kafka || '127.0.0.1:9092',
    openSearch: stores.openSearch || 'http://127.0.0.1:9200',
    s3: stores.s3 || 'http://127.0.0.1:9000',
  };
  const hosted = new Map<LocalFunction, ReturnType<typeof hostFunction>>();
  const functionNamed = (name: LocalFunction) => {
    const running = hosted.get(name) ?? hostFunction(name, { folder, urls });
    hosted.set(name, running);
    return running;
  };
  try {
    return await work({
      title: 'this machine',
      now: localNow(folder),
      stores,
      place: async () => place,
      sliceMs: 2_000,
      invoke: (name, event) => functionNamed(name).invoke(event),
    });
  } finally {
    await Promise.all([...hosted.values()].map((each) => each.close()));
  }
}
