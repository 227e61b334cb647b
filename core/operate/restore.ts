/** A version of an object, or a delete marker. */
export interface ObjectVersion {
  key: string;
  versionId: string;
  /** When it came about. */
  atMs: number;
  isDeletion: boolean;
}

/** A bucket that keeps old versions of its objects. */
export interface VersionedObjects {
  /** Each object below a prefix, deleted ones too: its versions, newest first. */
  histories(prefix: string): AsyncIterable<readonly ObjectVersion[]>;
  /** Takes back a deletion. */
  undelete(deletion: ObjectVersion): Promise<void>;
  /** Whether an earlier {@link putAgain} of this version made the latest one. */
  isAgain(latest: ObjectVersion, version: ObjectVersion): Promise<boolean>;
  /** Makes a version's content the newest one. Keeps all versions. */
  putAgain(version: ObjectVersion, isDeleted: boolean): Promise<void>;
}

/** What an object needs to be as it was. */
export type Remedy =
  | { kind: 'none' }
  /** Only deletions came after it. */
  | { kind: 'undelete'; deletions: readonly ObjectVersion[] }
  /** Something else came after it. */
  | { kind: 'putAgain'; version: ObjectVersion; isDeleted: boolean }
  /** It did not exist then. It may be new data or forged, so a person has to decide. */
  | { kind: 'appeared' }
  /** It was deleted so long ago that no version is left. */
  | { kind: 'lost' };

/** @param history of one object, newest first */
export function remedyFor(history: readonly ObjectVersion[], asOfMs: number): Remedy {
  const position = history.findIndex(({ atMs }) => atMs <= asOfMs);
  const version = history[position];
  const later = history.slice(0, position);
  const isDeleted = history[0]?.isDeletion ?? true;
  if (!version && history.every(({ isDeletion }) => isDeletion)) return { kind: 'lost' };
  if (!version || version.isDeletion) return { kind: isDeleted ? 'none' : 'appeared' };
  if (later.length === 0) return { kind: 'none' };
  if (later.every(({ isDeletion }) => isDeletion)) return { kind: 'undelete', deletions: later };
  return { kind: 'putAgain', version, isDeleted };
}

export interface RestoreReport {
  /** How many objects needed what. */
  counts: Record<Remedy['kind'], number>;
  /** Some keys of each kind. */
  examples: Record<Exclude<Remedy['kind'], 'none'>, string[]>;
  /** What could not be restored, and why. */
  problems: string[];
}

export interface RestoreOptions {
  prefix: string;
  /** Objects become what they were then. */
  asOfMs: number;
  /** Only reports. */
  dryRun: boolean;
  signal: AbortSignal;
  onProgress?: (objects: number) => void;
}

const AT_ONCE = 16;
const EXAMPLES = 5;

/**
 * Restores the objects under a prefix that were deleted or replaced since a given time. Objects that appeared
 * since stay. It can be run again, also after an interruption.
 * @throws what the listing throws, or the signal's reason
 */
export async function restoreObjects(
  objects: VersionedObjects,
  { prefix, asOfMs, dryRun, signal, onProgress }: RestoreOptions,
): Promise<RestoreReport> {
  const report = emptyReport();
  let done = 0;
  const histories = objects.histories(prefix)[Symbol.asyncIterator]();
  const work = async () => {
    for (let next = await histories.next(); !next.done; next = await histories.next()) {
      signal.throwIfAborted();
      const history = next.value;
      try {
        const remedy = await remedyNow(objects, history, asOfMs);
        if (!dryRun) await apply(objects, remedy);
        count(report, remedy, history);
      } catch (error) {
        report.problems.push(`${history[0]?.key}: ${(error as Error).message}`);
      }
      done += 1;
      onProgress?.(done);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return report;
}

async function remedyNow(
  objects: VersionedObjects,
  history: readonly ObjectVersion[],
  asOfMs: number,
): Promise<Remedy> {
  const remedy = remedyFor(history, asOfMs);
  const [latest] = history;
  if (remedy.kind !== 'putAgain' || remedy.isDeleted || !latest) return remedy;
  return (await objects.isAgain(latest, remedy.version)) ? { kind: 'none' } : remedy;
}

async function apply(objects: VersionedObjects, remedy: Remedy): Promise<void> {
  switch (remedy.kind) {
    case 'undelete':
      for (const deletion of remedy.deletions) await objects.undelete(deletion);
      return;
    case 'putAgain':
      return objects.putAgain(remedy.version, remedy.isDeleted);
    case 'none':
    case 'appeared':
    case 'lost':
      return;
  }
}

function emptyReport(): RestoreReport {
  return {
    counts: { none: 0, undelete: 0, putAgain: 0, appeared: 0, lost: 0 },
    examples: { undelete: [], putAgain: [], appeared: [], lost: [] },
    problems: [],
  };
}

function count(
  { counts, examples }: RestoreReport,
  { kind }: Remedy,
  history: readonly ObjectVersion[],
): void {
  counts[kind] += 1;
  if (kind === 'none' || examples[kind].length === EXAMPLES) return;
  examples[kind].push(history[0]?.key ?? '');
}
