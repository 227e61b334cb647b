import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReplayMarket } from '../../../../local/market-replay/replay-market.ts';
import { ReplayClock } from '../../../../local/pipeline/replay-clock.ts';
import { replaySlots, wallClockSlots } from '../../../../local/schedule/slots.ts';

describe('slots in real time', () => {
  let nowMs = 1_000_000;
  const now = () => nowMs;
  beforeEach(() => {
    nowMs = 1_000_000;
  });

  it('begin at once and follow at the interval', () => {
    const slots = wallClockSlots(100, now);
    expect(slots.next()).toEqual({ slotMs: 1_000_000, dueMs: 1_000_000 });
    slots.done(1_000_000);
    expect(slots.next()).toEqual({ slotMs: 1_000_100, dueMs: 1_000_100 });
  });

  it('skip those missed during a long poll', () => {
    const slots = wallClockSlots(100, now);
    nowMs += 350;
    slots.done(1_000_000);
    expect(slots.next()?.slotMs).toBe(1_000_300);
  });

  it('repeat a failed slot until the next one is due', () => {
    const slots = wallClockSlots(100, now);
    nowMs += 50;
    slots.failed(1_000_000);
    expect(slots.next()?.slotMs).toBe(1_000_000);
    nowMs += 50;
    slots.failed(1_000_000);
    expect(slots.next()?.slotMs).toBe(1_000_100);
  });
});

describe('slots of the market replay', () => {
  const HOUR = Date.parse('2018-07-01T00:00:00Z');
  const MINUTE = 60_000;
  const market = new ReplayMarket([
    { startMs: HOUR, symbol: 'BTCUSD', open: 1, high: 2, low: 1, close: 2, volume: 1 },
  ]);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slots-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are the recorded minutes in order, and end with the history', () => {
    const slots = replaySlots(market, new ReplayClock(folder), 50);
    const seen: number[] = [];
    for (let next = slots.next(); next; next = slots.next()) {
      slots.begin(next.slotMs);
      seen.push((next.slotMs - HOUR) / MINUTE);
      slots.done(next.slotMs);
    }
    expect(seen).toEqual([0, 20, 40, 59]);
  });

  it('repeat until the poll succeeds', () => {
    const slots = replaySlots(market, new ReplayClock(folder), 50);
    slots.begin(HOUR);
    slots.failed(HOUR);
    expect(slots.next()?.slotMs).toBe(HOUR);
  });

  it('continue where an earlier run was killed during a poll', () => {
    const killed = replaySlots(market, new ReplayClock(folder), 50);
    killed.begin(HOUR);
    killed.done(HOUR);
    killed.begin(HOUR + 20 * MINUTE);
    const next = replaySlots(market, new ReplayClock(folder), 50);
    expect(next.next()?.slotMs).toBe(HOUR + 20 * MINUTE);
  });

  it('are at least the interval apart', () => {
    const slots = replaySlots(market, new ReplayClock(folder), 60_000);
    slots.begin(HOUR);
    slots.done(HOUR);
    expect((slots.next()?.dueMs ?? 0) - Date.now()).toBeGreaterThan(50_000);
  });
});
