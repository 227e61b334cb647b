/** Where a partition is, according to the broker. */
export interface PartitionPosition {
  readonly partition: number;
  /** -1 if nothing is committed. */
  readonly committed: number;
  /** Of the oldest record that still exists. */
  readonly low: number;
  /** Of the next record to be written. */
  readonly high: number;
}

/** How far each partition is handled, and how far it reaches. Outlives rebalances and lost connections. */
export class PartitionOffsets {
  readonly #handled = new Map<number, number>();
  readonly #highs = new Map<number, number>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  lagRecords(): number {
    return [...this.#highs].reduce(
      (lag, [partition, high]) => lag + Math.max(0, high - this.handledUpTo(partition)),
      0,
    );
  }

  handledUpTo(partition: number): number {
    return this.#handled.get(partition) ?? 0;
  }

  handled(): ReadonlyMap<number, number> {
    return new Map(this.#handled);
  }

  reaches(partition: number, high: number): void {
    this.#highs.set(partition, high);
  }

  /** The function has handled the records before these offsets, or they were given up. */
  advance(next: ReadonlyMap<number, number>): void {
    for (const [partition, offset] of next) {
      this.#handled.set(partition, offset);
      this.#highs.set(partition, Math.max(this.#highs.get(partition) ?? 0, offset));
    }
    this.#onChange();
  }

  /**
   * Takes over what the broker reports after joining the group, so that lag and waits are right before the first record
   * arrives, or if none does.
   * @param before {@link handled} from before the broker was asked
   */
  resume(positions: readonly PartitionPosition[], before: ReadonlyMap<number, number>): void {
    for (const { partition, committed, low, high } of positions) {
      const start = Math.max(committed, low);
      const known = before.get(partition);
      const advanced = this.#handled.get(partition) !== known;
      // Handled but not committed still counts as handled, unless the topic has been replaced by a new one.
      const stillTrue = known !== undefined && known > start && known <= high;
      if (!advanced && !stillTrue) this.#handled.set(partition, start);
      this.#highs.set(partition, advanced ? Math.max(this.#highs.get(partition) ?? 0, high) : high);
    }
    this.#onChange();
  }
}

/** As decimal strings, by partition. */
export function offsetsByPartition(offsets: ReadonlyMap<number, number>): Record<string, string> {
  return Object.fromEntries([...offsets].map(([partition, offset]) => [String(partition), String(offset)]));
}
