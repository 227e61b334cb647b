import * as z from 'zod';

/** What part of the data an operation is about. Times are ISO 8601; the range is [from, to). */
export const timeRange = {
  /** @default the first there is */
  from: z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' }).optional(),
  /** @default the last there is, included */
  to: z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' }).optional(),
  /** @default all */
  exchange: z.string().min(1).optional(),
};

/** The range in epoch ms; open ends are the ends of time. */
export function rangeMs({ from, to }: { from?: string | undefined; to?: string | undefined }): {
  fromMs: number;
  toMs: number;
} {
  return {
    fromMs: from === undefined ? 0 : Date.parse(from),
    toMs: to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to),
  };
}
