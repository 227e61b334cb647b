import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { notListedOf, stateWithoutData, withoutData } from '../../../../core/completeness/absence.ts';
import { failedPollsOf, hoursDown } from '../../../../core/completeness/failures.ts';
import { averageOver } from '../../../../core/insights/average.ts';
import type { SeriesStore } from '../../../../core/insights/ports.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { trustNotes } from '../../../../core/text/answers/trust-words.ts';
import { InMemoryStore } from '../insights/in-memory-store.ts';
import { flat, hourMs, hours, iso, SERIES, ticked } from '../insights/sample-candles.ts';

const listed = (hour: number) => ({ event: 'listed' as const, at: iso(hourMs(hour)) });
const ended = (hour: number) => ({ event: 'ended' as const, at: iso(hourMs(hour)) });
const MARKET = { exchange: 'bybit', category: 'spot' as const };

describe('where a market did not exist', () => {
  it('is before it was listed, and from its end until it is listed again', () => {
    expect(notListedOf([])).toEqual([]);
    expect(notListedOf([listed(3)])).toEqual([{ fromMs: Number.NEGATIVE_INFINITY, toMs: hourMs(3) }]);
    expect(notListedOf([ended(3), listed(5), ended(8)])).toEqual([
      hours(3, 5),
      { fromMs: hourMs(8), toMs: Number.POSITIVE_INFINITY },
    ]);
  });

  it('is known from the first of two ends, or the first of two beginnings, if one between was not noticed', () => {
    expect(notListedOf([ended(3), ended(4), listed(5)])).toEqual([hours(3, 5)]);
    expect(notListedOf([ended(3), listed(5), listed(6)])).toEqual([hours(3, 5)]);
  });

  it('never covers an instant at which the last event was a listing', () => {
    const events = fc
      .uniqueArray(fc.integer({ min: 0, max: 50 }), { maxLength: 8 })
      .chain((times) =>
        fc.tuple(
          ...times
            .sort((a, b) => a - b)
            .map((hour) => fc.boolean().map((is) => (is ? listed(hour) : ended(hour)))),
        ),
      );
    fc.assert(
      fc.property(events, fc.integer({ min: -1, max: 51 }), (all, hour) => {
        const known = all as ReturnType<typeof listed | typeof ended>[];
        const last = known.findLast(({ at }) => Date.parse(at) <= hourMs(hour));
        const expected = last ? last.event === 'ended' : known[0]?.event === 'listed';
        const windows = notListedOf(known);
        expect(windows.some(({ fromMs, toMs }) => fromMs <= hourMs(hour) && hourMs(hour) < toMs)).toBe(
          expected,
        );
      }),
    );
  });
});

describe('hours in which the exchange was down', () => {
  const slots = (hour: number, count: number) =>
    Array.from({ length: count }, (_, poll) => hourMs(hour) + poll * 120_000);

  it('are those of which it failed in half of the polls due; other holes are our own', () => {
    const failed = failedPollsOf(
      MARKET,
      [...slots(0, 30), ...slots(1, 14), ...slots(2, 15)],
      new Set(),
      120_000,
    );
    expect(failed).toMatchObject([
      { ...MARKET, hourMs: hourMs(0), failed: 30, due: 30 },
      { hourMs: hourMs(1), failed: 14 },
      { hourMs: hourMs(2), failed: 15 },
    ]);
    expect(hoursDown(failed)).toEqual(new Set([hourMs(0), hourMs(2)]));
  });

  it('do not count a poll that another attempt brought to its end', () => {
    const failed = failedPollsOf(MARKET, slots(0, 30), new Set(slots(0, 20)), 120_000);
    expect(failed).toMatchObject([{ failed: 10, due: 30 }]);
    expect(hoursDown(failed)).toEqual(new Set());
  });
});

describe('why hours have no data', () => {
  const absence = {
    notListed: [{ fromMs: Number.NEGATIVE_INFINITY, toMs: hourMs(3) + 1 }],
    exchangeDown: new Set([hourMs(2), hourMs(5)]),
    polls: { firstMs: hourMs(4), lastMs: hourMs(8) + HOUR_MS - 120_000 },
  };

  it('counts each hour once: what did not exist cannot be down', () => {
    expect(withoutData([hours(0, 10)], absence)).toEqual({
      ...{ hours: 10, notListed: 3, exchangeDown: 1, missing: 6, beforeFirstPoll: 1, afterLastPoll: 1 },
    });
  });

  it('adds up, however the hours are cut', () => {
    const state = fc.constantFrom('not listed', 'down', 'neither');
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 30 }), fc.nat(29), (states, cut) => {
        const of = (name: string) => states.flatMap((each, hour) => (each === name ? [hour] : []));
        const known = {
          notListed: of('not listed').map((hour) => hours(hour, hour + 1)),
          exchangeDown: new Set(of('down').map(hourMs)),
          polls: undefined,
        };
        const at = Math.min(cut, states.length);
        const counts = withoutData([hours(0, at), hours(at, states.length)], known);
        expect(counts).toEqual({
          hours: states.length,
          notListed: of('not listed').length,
          exchangeDown: of('down').length,
          missing: of('neither').length,
          beforeFirstPoll: 0,
          afterLastPoll: 0,
        });
        for (const hour of of('neither')) expect(stateWithoutData(hourMs(hour), known)).toBe('missing');
      }),
    );
  });

  it('is part of an answer that lacks hours, and is put into words', async () => {
    let asked = 0;
    const store = Object.assign(new InMemoryStore([flat(0, 1), flat(6, 2), flat(7, 2)]), {
      absence: async () => {
        asked += 1;
        return absence;
      },
    });
    const complete = await averageOver(store, SERIES, hours(6, 8), 900_000);
    expect(complete).not.toHaveProperty('withoutData');
    expect(asked).toBe(0);
    const answer = await averageOver(store, SERIES, hours(0, 10), 900_000);
    expect(answer).toMatchObject({ hours: 3, expectedHours: 10, coverage: 0.3 });
    expect(answer.withoutData).toEqual({
      ...{ hours: 7, notListed: 2, exchangeDown: 1, missing: 4, beforeFirstPoll: 1, afterLastPoll: 1 },
    });
    expect(trustNotes(answer).join()).toContain(
      'Of 7 hours without data, 2 while its market was not listed, 1 while the exchange did not answer, 1 before the first poll of its market, 1 after the last poll of its market, 2 missing.',
    );
  });

  it('is not in an answer whose store cannot know it', async () => {
    const store = Object.assign(new InMemoryStore([flat(0, 1)]), { absence: undefined });
    const answer = await averageOver(store as SeriesStore, SERIES, hours(0, 10), 900_000);
    expect(answer).not.toHaveProperty('withoutData');
  });

  it('says so if only polls are missing', async () => {
    const store = Object.assign(new InMemoryStore([ticked(5, [1, 2]), ticked(6, [1, 2, 3, 4])]), {
      absence: async () => absence,
    });
    const answer = await averageOver(store, SERIES, hours(5, 7), 900_000);
    expect(answer).toMatchObject({ coverage: 0.75, withoutData: { hours: 0 } });
    expect(trustNotes(answer).join()).toContain('Every hour has data, but not from every poll that was due.');
  });
});
