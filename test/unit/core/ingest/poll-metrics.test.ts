import { describe, expect, it } from 'vitest';
import { type EndedPoll, pollMetrics } from '../../../../core/ingest/poll-metrics.ts';
import type { CategoryReport, PollReport } from '../../../../core/ingest/report.ts';

const SLOT_MS = Date.parse('2026-03-01T12:00:00.000Z');

const category = (given: Partial<CategoryReport> = {}): CategoryReport => ({
  category: 'spot',
  status: 'polled',
  fetched: 30,
  rejected: 10,
  ...given,
});
const reportOf = (given: Partial<PollReport> = {}): PollReport => ({
  source: 'bybit',
  exchange: 'bybit',
  slot: new Date(SLOT_MS).toISOString(),
  categories: [category(), category({ category: 'linear' })],
  lakeBytes: 4_000,
  produced: 60,
  backlogBatches: 0,
  waitingBatches: 0,
  ...given,
});
const metricsOf = (given: Partial<EndedPoll> = {}) =>
  pollMetrics({
    report: reportOf(),
    threw: false,
    categories: 2,
    slotMs: SLOT_MS,
    begunMs: SLOT_MS + 300,
    endedMs: SLOT_MS + 1_500,
    ...given,
  });

describe('the metrics of a poll', () => {
  it('add up its categories', () => {
    expect(metricsOf()).toEqual({
      PollsSucceeded: 1,
      PollsFailed: 0,
      CategoriesFailed: 0,
      SuspiciousAnswers: 0,
      TickersFetched: 60,
      TickersRejected: 20,
      RejectedShare: 25,
      LakeBytes: 4_000,
      RecordsProduced: 60,
      BatchesWaiting: 0,
      UnreadableInLake: 0,
      PollDuration: 1_200,
      SlotDelay: undefined,
    });
  });

  it('tell how late a poll started if that is more than a minute', () => {
    expect(metricsOf({ begunMs: SLOT_MS + 60_000 }).SlotDelay).toBeUndefined();
    expect(metricsOf({ begunMs: SLOT_MS + 60_001 }).SlotDelay).toBe(60_001);
  });

  it('have no share of rejected tickers if there were no tickers', () => {
    const report = reportOf({ categories: [category({ fetched: 0, rejected: 0 })] });
    expect(metricsOf({ report }).RejectedShare).toBeUndefined();
  });

  it.each<[string, Partial<PollReport>]>([
    ['a category failed', { categories: [category(), category({ status: 'failed' })] }],
    ['its batch waits for the next poll', { waitingBatches: 1 }],
  ])('are neither success nor failure if %s', (_, given) => {
    expect(metricsOf({ report: reportOf(given) })).toMatchObject({ PollsSucceeded: 0, PollsFailed: 0 });
  });

  it('count suspicious answers and unreadable batches', () => {
    const report = reportOf({ categories: [category({ suspicious: 'empty' })], unreadable: ['a', 'b'] });
    expect(metricsOf({ report })).toMatchObject({
      PollsSucceeded: 1,
      SuspiciousAnswers: 1,
      UnreadableInLake: 2,
    });
  });

  it('count what a poll had done before it threw', () => {
    const report = reportOf({ produced: 0, waitingBatches: 2 });
    expect(metricsOf({ report, threw: true })).toMatchObject({
      PollsSucceeded: 0,
      PollsFailed: 1,
      CategoriesFailed: 0,
      TickersFetched: 60,
      LakeBytes: 4_000,
      BatchesWaiting: 2,
    });
  });

  it.each([
    ['before there was anything to report', undefined],
    ['before its categories were settled', reportOf({ categories: [], lakeBytes: 0, produced: 0 })],
  ])('count every category as failed if the poll threw %s', (_, report) => {
    expect(metricsOf({ report, threw: true })).toMatchObject({
      PollsFailed: 1,
      CategoriesFailed: 2,
      TickersFetched: 0,
      LakeBytes: 0,
      RecordsProduced: 0,
    });
  });
});
