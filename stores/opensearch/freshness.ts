/**
 * Refreshes indices before they are read, but no more often than what was written requires. What was written to one part
 * of an index does not matter to the readers of another.
 */
export class Freshness {
  readonly #refreshIndex: (index: string) => Promise<unknown>;
  /** When each index, and each part of one, was written last, in numbers of writes. */
  readonly #written = new Map<string, number>();
  /** The writes that the last refresh of each index shows. */
  readonly #refreshed = new Map<string, { writes: number; done: Promise<unknown> }>();
  #writes = 0;

  /** Earlier writers are unknown, so no index is fresh at first. */
  constructor(refreshIndex: (index: string) => Promise<unknown>) {
    this.#refreshIndex = refreshIndex;
  }

  /** To be called when a write has ended, whether it succeeded or not. */
  written(index: string, parts: Iterable<string> = []): void {
    this.#writes += 1;
    this.#written.set(index, this.#writes);
    for (const part of parts) this.#written.set(keyOf(index, part), this.#writes);
  }

  /** Makes everything visible that was written to the index, or to one part of it. */
  async ensure(index: string, part?: string): Promise<void> {
    const needed = this.#written.get(part === undefined ? index : keyOf(index, part)) ?? 0;
    const last = this.#refreshed.get(index);
    if (last && last.writes >= needed) return void (await last.done);
    const refresh = { writes: this.#writes, done: this.#refreshIndex(index) };
    this.#refreshed.set(index, refresh);
    await refresh.done.catch((error) => {
      if (this.#refreshed.get(index) === refresh) this.#refreshed.delete(index);
      throw error;
    });
  }

  /** Others write the index, too, so it has to be refreshed before the next read. */
  forget(index: string): void {
    this.#refreshed.delete(index);
  }
}

function keyOf(index: string, part: string): string {
  return `${index} ${part}`;
}
