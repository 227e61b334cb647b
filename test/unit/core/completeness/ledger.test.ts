import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hoursByState,
  isRepairable,
  type LedgerCandle,
  type LedgerFacts,
  ledgerOf,
} from '../../../../core/completeness/ledger.ts';
import { RecordedParts } from '../../../../core/completeness/recorded.ts';
import type { CandleObject } from '../../../../core/lake/candle-objects.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { repairableWindows } from '../../../../core/operate/gaps/repair.ts';
import { hourMs, hours, SERIES } from '../insights/sample-candles.ts';

const HOURS = 24;

const candle = (hour: number, of: Partial<LedgerCandle> = {}): LedgerCandle => ({
  startMs: hourMs(hour),
  hours: 1,
  samples: 4,
  polls_due: 4,
  source: 'ticks',
  ...of,
});

function facts(of: Partial<LedgerFacts> = {}): LedgerFacts {
  return {
    absence: { notListed: [], exchangeDown: new Set(), polls: undefined },
    pollsDueIn: () => 4,
    originOf: ({ source }) => (source === 'ticks' ? 'ticks' : 'exchange'),
    isPolled: () => false,
    isAsked: () => false,
    ...of,
  };
}

/** What is known of one hour. */
const known = fc.record({
  samples: fc.option(fc.integer({ min: 1, max: 4 }), { freq: 1 }),
  isRecorded: fc.boolean(),
  isListed: fc.boolean(),
  isDown: fc.boolean(),
  isPolled: fc.boolean(),
  isAsked: fc.boolean(),
});
type Known = Parameters<Parameters<typeof known.map>[0]>[0];

/** The rules, for one hour by itself. */
function expected({ samples, isRecorded, isListed, isDown }: Known): string {
  if (isRecorded) return 'present';
  if (samples !== null) return samples >= 2 || !isListed ? 'present' : 'partial';
  if (!isListed) return 'not listed';
  return isDown ? 'exchange down' : 'missing';
}

describe('the completeness ledger', () => {
  it('has each hour once, in the state that its own facts give, in as few entries as possible', () => {
    fc.assert(
      fc.property(fc.array(known, { minLength: 1, maxLength: HOURS }), (all) => {
        const at = (hour: number) => all[(hour - hourMs(0)) / HOUR_MS] as Known;
        const candles = all.flatMap(({ samples, isRecorded }, hour): LedgerCandle[] => {
          if (isRecorded) return [candle(hour, { source: 'backfill', samples: samples ?? 0 })];
          return samples === null ? [] : [candle(hour, { samples })];
        });
        const of = (is: (one: Known) => boolean) => all.flatMap((one, hour) => (is(one) ? [hour] : []));
        const entries = ledgerOf(
          candles,
          hours(0, all.length),
          facts({
            absence: {
              notListed: of(({ isListed }) => !isListed).map((hour) => hours(hour, hour + 1)),
              exchangeDown: new Set(of(({ isDown }) => isDown).map(hourMs)),
              polls: undefined,
            },
            isPolled: (hour) => at(hour).isPolled,
            isAsked: (hour) => at(hour).isAsked,
          }),
        );
        expect(entries[0]?.fromMs).toBe(hourMs(0));
        expect(entries.at(-1)?.toMs).toBe(hourMs(all.length));
        for (const [position, { fromMs, toMs, ...entry }] of entries.entries()) {
          const next = entries[position + 1];
          if (next) {
            const { fromMs: nextMs, toMs: _, ...rest } = next;
            expect(nextMs).toBe(toMs);
            expect(rest).not.toEqual(entry);
          }
          for (let hour = fromMs; hour < toMs; hour += HOUR_MS) expect(entry.state).toBe(expected(at(hour)));
          expect(entry.reason !== undefined).toBe(entry.state === 'missing');
          expect(entry.origin !== undefined).toBe(entry.state === 'present' || entry.state === 'partial');
        }
        const sum = Object.values(hoursByState(entries)).reduce((total, count) => total + count, 0);
        expect(sum).toBe(all.length);
        const repairable = repairableWindows(entries).flatMap(({ fromMs, toMs }) =>
          Array.from({ length: (toMs - fromMs) / HOUR_MS }, (_, hour) => fromMs + hour * HOUR_MS),
        );
        const open = of((one) =>
          isRepairable({ state: expected(one) as 'missing', ...(one.isAsked ? { asked: true } : {}) }),
        );
        expect(repairable).toEqual(open.map(hourMs));
      }),
    );
  });

  it('counts the day of a daily candle as present, and does not expect polls before a market was listed', () => {
    const day = candle(0, { hours: 24, source: 'backfill', samples: 0 });
    expect(ledgerOf([day], hours(0, 26), facts())).toMatchObject([
      { ...hours(0, 24), state: 'present' },
      { ...hours(24, 26), state: 'missing', reason: 'no poll' },
    ]);
    const one = [candle(0, { samples: 1 })];
    expect(ledgerOf(one, hours(0, 1), facts())).toMatchObject([{ state: 'partial' }]);
    const late = { fromMs: Number.NEGATIVE_INFINITY, toMs: hourMs(0) + HOUR_MS / 2 };
    const absence = { notListed: [late], exchangeDown: new Set<number>(), polls: undefined };
    expect(ledgerOf(one, hours(0, 1), facts({ absence }))).toMatchObject([{ state: 'present' }]);
  });

  it('distinguishes missing hours by what was polled', () => {
    const polls = { firstMs: hourMs(2) + 1, lastMs: hourMs(9) };
    const absence = { notListed: [], exchangeDown: new Set<number>(), polls };
    const entries = ledgerOf([], hours(0, 6), facts({ absence, isPolled: (hour) => hour === hourMs(4) }));
    expect(entries).toEqual([
      { ...hours(0, 2), state: 'missing', reason: 'before the first poll' },
      { ...hours(2, 4), state: 'missing', reason: 'no poll' },
      { ...hours(4, 5), state: 'missing', reason: 'not in the polls' },
      { ...hours(5, 6), state: 'missing', reason: 'no poll' },
    ]);
  });
});

describe('what recorded candles in the lake tell', () => {
  const object = (from: number, to: number, format: string, run?: string): CandleObject => ({
    ...SERIES,
    hours: 1,
    firstMs: hourMs(from),
    lastMs: hourMs(to) - HOUR_MS,
    format,
    run,
  });

  it('is where a candle comes from: the last object that has its hour decides', () => {
    const parts = new RecordedParts([
      object(0, 9, 'rows', '20260131-140000-3f9a'),
      object(2, 4, 'bybit-v5'),
      object(4, 6, 'rows', '20260131-150000-3f9a-ccxt'),
    ]);
    const of = (hour: number) => parts.originOf({ startMs: hourMs(hour), hours: 1, source: 'backfill' });
    expect([0, 2, 4, 8].map(of)).toEqual(['file', 'exchange', 'exchange', 'file']);
    expect(parts.originOf({ startMs: hourMs(2), hours: 1, source: 'ticks' })).toBe('ticks');
  });

  it('is what a repair was done with; a backfill may have been killed before it wrote its candles', () => {
    const parts = new RecordedParts([
      object(0, 2, 'rows', '20260131-140000-3f9a'),
      object(2, 4, 'bybit-v5', 'gaps-20260131-140000'),
      object(4, 6, 'rows', 'gaps-20260131-140000'),
    ]);
    expect([0, 1, 2, 3, 4, 5, 6].map((hour) => parts.isAsked(hourMs(hour)))).toEqual([
      ...[false, false, false, false, true, true, false],
    ]);
  });
});
