import * as z from 'zod';
import type { Category } from '../market/series.ts';
import type { OutboxMarker } from './ports.ts';

const slot = z.iso.datetime().transform((text) => Date.parse(text));
const count = z.int().min(0);

const stored = z.object({
  v: z.literal(2),
  through: slot,
  beyond: z.array(slot),
  tickers: count.optional(),
});

/** One for all categories of a source. */
const storedBySource = z.object({
  v: z.literal(1),
  acknowledged: z.record(z.string(), z.object({ slot, tickers: count })),
});

export function markerText({ throughMs, beyondMs, tickers }: OutboxMarker): string {
  const iso = (ms: number) => new Date(ms).toISOString();
  return JSON.stringify({ v: 2, through: iso(throughMs), beyond: beyondMs.map(iso), tickers });
}

/** @throws if the text is not a marker */
export function parseMarker(text: string): OutboxMarker {
  const { through: throughMs, beyond, tickers } = stored.parse(JSON.parse(text));
  const beyondMs = beyond.sort((a, b) => a - b);
  return { throughMs, beyondMs, ...(tickers === undefined ? {} : { tickers }) };
}

/**
 * A category's marker in the text of an earlier version; undefined if it has none. @throws if the text is not
 * a marker
 */
export function parseMarkerOfSource(text: string, category: Category): OutboxMarker | undefined {
  const found = storedBySource.parse(JSON.parse(text)).acknowledged[category];
  return found && { throughMs: found.slot, beyondMs: [], tickers: found.tickers };
}
