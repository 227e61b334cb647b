import * as z from 'zod';

/** The version of the manifest's shape; raised by every change that readers would notice. */
export const MANIFEST_VERSION = 1;

const isoTime = z.iso.datetime({ precision: 3 });

/** An object that went into a file, as the store lists it. */
const source = z.object({
  key: z.string(),
  etag: z.string(),
  /**
   * For a day of tickers in a month of candles: the sampling interval when the day was first added, from
   * which its due polls follow.
   */
  samplingIntervalMs: z.number().positive().optional(),
  /** For the candles in a month of moves: the thresholds at which moves were detected. */
  thresholds: z.array(z.number().positive()).optional(),
});

export const manifestSchema = z.object({
  v: z.literal(MANIFEST_VERSION),
  /** The Parquet file's key. */
  object: z.string(),
  /**
   * The file's ETag, as the store lists it. If the store lists another one, this manifest does not describe
   * the file.
   */
  etag: z.string(),
  bytes: z.number().int().nonnegative(),
  /** Of the file's bytes, in hex. */
  sha256: z.string(),
  rows: z.number().int().nonnegative(),
  /** Slots of tickers, starts of candles, confirmations of moves; absent if there are no rows. */
  first: isoTime.optional(),
  last: isoTime.optional(),
  /** Rows by symbol. */
  symbols: z.record(z.string(), z.number().int().positive()),
  /** Lines that are not rows, such as those that became dead letters. */
  skipped: z.number().int().nonnegative(),
  /** Sources that could not be read, by key; absent if there are none. */
  unreadable: z.array(z.string()).optional(),
  /** What the file was made from, by key. If the lake lists anything else, the file is made again. */
  sources: z.array(source),
  /** Of moves: what the detectors remember at the end of the month, for the next one. */
  states: z
    .object({
      object: z.string(),
      /** As the store lists it. @default an older version made the file, which did not note it */
      etag: z.string().optional(),
      sha256: z.string(),
    })
    .optional(),
  /**
   * Of moves: SHA-256 of the ends, confirmed in this month, of moves of earlier months; by their months. They are read
   * from this month's file, where the next moves start.
   */
  completes: z.record(z.string(), z.string()).optional(),
});

/** What a Parquet file contains, and what it was made from. Written after the file. */
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestSource = z.infer<typeof source>;

/** A manifest that nobody can read, such as one of a newer version. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

/** @throws ManifestError, which names the object */
export function parseManifest(text: string, key: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ManifestError(`${key} is not JSON: ${(cause as Error).message}.`, { cause });
  }
  const { success, data, error } = manifestSchema.safeParse(value);
  if (success) return data;
  const [{ path, message } = { path: [], message: '' }] = error.issues;
  throw new ManifestError(`${key} is not a manifest: ${path.join('.')}: ${message}.`, { cause: error });
}
