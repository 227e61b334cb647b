import { describe, expect, it } from 'vitest';
import { pollsDueIn, pollsDuePerHour, pollsPerHourVariable } from '../../../../core/market/polls.ts';
import { HOUR_MS, MINUTE_MS } from '../../../../core/market/time.ts';

describe('the polls due', () => {
  it('are one every two minutes where nothing else is configured', () => {
    expect(pollsDuePerHour('bybit', pollsPerHourVariable.parse(undefined))).toBe(30);
  });

  it('are those of the exchange, else the default', () => {
    const configured = pollsPerHourVariable.parse('{"default":12,"recorded":4}');
    expect(pollsDuePerHour('recorded', configured)).toBe(4);
    expect(pollsDuePerHour('bybit', configured)).toBe(12);
  });

  it('are counted in a window without its end', () => {
    expect(pollsDueIn(0, HOUR_MS, 30)).toBe(30);
    expect(pollsDueIn(MINUTE_MS, 3 * MINUTE_MS, 30)).toBe(1);
    expect(pollsDueIn(2 * MINUTE_MS, 4 * MINUTE_MS, 30)).toBe(1);
    expect(pollsDueIn(MINUTE_MS, 2 * MINUTE_MS, 30)).toBe(0);
  });
});
