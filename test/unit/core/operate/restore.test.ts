import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ObjectVersion,
  type RestoreReport,
  restoreObjects,
  type VersionedObjects,
} from '../../../../core/operate/restore.ts';

/** A bucket with versions: for each key the contents, newest first; undefined for a deletion. */
class MemoryBucket implements VersionedObjects {
  readonly #histories = new Map<
    string,
    { atMs: number; id: string; content: string | undefined; from?: string }[]
  >();
  nowMs = 0;
  #ids = 0;

  put(key: string, content: string | undefined, from?: string): void {
    const history = this.#histories.get(key) ?? [];
    const id = `${this.#ids++}`;
    history.unshift({ atMs: this.nowMs, id, content, ...(from === undefined ? {} : { from }) });
    this.#histories.set(key, history);
  }

  contents(): Map<string, string> {
    const newest = [...this.#histories].map(([key, [latest]]) => [key, latest?.content] as const);
    return new Map(newest.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  async *histories() {
    for (const [key, history] of [...this.#histories]) {
      yield history.map(({ atMs, id, content }) => ({
        key,
        versionId: id,
        atMs,
        isDeletion: content === undefined,
      }));
    }
  }

  async undelete({ key, versionId }: ObjectVersion): Promise<void> {
    const history = this.#histories.get(key) ?? [];
    history.splice(
      history.findIndex(({ id }) => id === versionId),
      1,
    );
  }

  async isAgain({ key }: ObjectVersion, { versionId }: ObjectVersion): Promise<boolean> {
    return this.#histories.get(key)?.[0]?.from === versionId;
  }

  async putAgain({ key, versionId }: ObjectVersion, isDeleted: boolean): Promise<void> {
    const history = this.#histories.get(key) ?? [];
    const isThere = history[0]?.content !== undefined;
    expect(isDeleted).toBe(!isThere);
    this.put(key, history.find(({ id }) => id === versionId)?.content, versionId);
  }
}

const restoreAll = (bucket: MemoryBucket, asOfMs: number, dryRun = false): Promise<RestoreReport> =>
  restoreObjects(bucket, { prefix: '', asOfMs, dryRun, signal: AbortSignal.timeout(60_000) });

describe('restoring a lake', () => {
  it('restores whatever was there, however it was deleted and replaced, and loses nothing that came since', async () => {
    const change = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      content: fc.option(fc.constantFrom('x', 'y', 'z'), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 12 }),
        fc.array(change, { maxLength: 12 }),
        async (before, after) => {
          const bucket = new MemoryBucket();
          const apply = ({ key, content }: (typeof before)[number]) => {
            bucket.nowMs += 1;
            bucket.put(key, content);
          };
          before.forEach(apply);
          const asOfMs = bucket.nowMs;
          const then = bucket.contents();
          after.forEach(apply);
          const now = bucket.contents();
          await restoreAll(bucket, asOfMs, true);
          expect(bucket.contents()).toEqual(now);
          bucket.nowMs += 1;
          const { counts, problems } = await restoreAll(bucket, asOfMs);
          const appeared = [...now].filter(([key]) => !then.has(key));
          expect(bucket.contents()).toEqual(new Map([...then, ...appeared].sort()));
          expect(counts.appeared).toBe(appeared.length);
          expect(problems).toEqual([]);
          const again = await restoreAll(bucket, asOfMs, true);
          expect(again.counts).toMatchObject({ undelete: 0, putAgain: 0, appeared: appeared.length });
        },
      ),
    );
  });

  it('does nothing the second time', async () => {
    const bucket = new MemoryBucket();
    bucket.put('kept', 'x');
    bucket.put('deleted', 'x');
    bucket.nowMs = 2;
    bucket.put('deleted', undefined);
    expect((await restoreAll(bucket, 1)).counts).toMatchObject({ undelete: 1, none: 1 });
    expect((await restoreAll(bucket, 1)).counts).toMatchObject({ undelete: 0, none: 2 });
  });

  it('names what is lost, and what could not be restored', async () => {
    const bucket = new MemoryBucket();
    bucket.nowMs = 2;
    bucket.put('expired', undefined);
    expect(await restoreAll(bucket, 1)).toMatchObject({
      counts: { lost: 1 },
      examples: { lost: ['expired'] },
    });
    bucket.nowMs = 0;
    bucket.put('refused', 'x');
    bucket.nowMs = 2;
    bucket.put('refused', 'y');
    bucket.putAgain = () => Promise.reject(new Error('AccessDenied'));
    expect((await restoreAll(bucket, 1)).problems).toEqual(['refused: AccessDenied']);
  });
});
