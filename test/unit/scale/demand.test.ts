import { describe, expect, it } from 'vitest';
import { METRIC_GROUPS } from '../../../core/runtime/metrics.ts';
import { stageConfig } from '../../../lib/config/stages.ts';
import { demandOf } from '../../../scale/demand.ts';
import { LIKE_BYBIT, withSources, workloadOf } from '../../../scale/workload.ts';
import { FIGURES } from './sample.ts';

/** 10 exchanges, every two minutes. */
function demand(settings = {}, exchanges = 10, figures = FIGURES) {
  const config = withSources(stageConfig('dev', { sources: [LIKE_BYBIT], ...settings }), exchanges);
  return demandOf(config, workloadOf(config, figures.tickersPerExchange), figures);
}

const GIB = 2 ** 30;

describe('demand per month', () => {
  it('polls each exchange every two minutes for 730 hours', () => {
    expect(demand()).toMatchObject({ sources: 10, polls: 219_000, tickers: 219_000_000, series: 10_000 });
  });

  it('stores the topic’s bytes for the retention, times the replication factor', () => {
    const { stream } = demand({ stream: { brokers: 2, topic: { retentionHours: 24, partitions: 4 } } });
    // 10,000 tickers of 200 bytes every 120 s.
    expect(stream.bytesASecond).toBeCloseTo(2_000_000 / 120);
    expect(stream.gibPerBroker).toBeCloseTo((2_000_000 * 720) / GIB);
    expect(stream.partitionsPerBroker).toBe(4);
  });

  it('opens one connection per function of a minute and broker, plus one to bootstrap', () => {
    // Five of the ten names fall on each minute of the two.
    expect(demand({ stream: { brokers: 2 } }).stream.newConnections).toBe(5 * 1.5);
  });

  it('splits a poll that does not fit into one event', () => {
    const large = { ...FIGURES, tickersPerExchange: 6_145 };
    expect(demand({}, 1, large).index).toMatchObject({ recordsPerEvent: 6_144, calls: 43_800 });
    expect(demand({}, 1).index.calls).toBe(21_900);
  });

  it('indexes one batch per partition at a time', () => {
    const one = demand({ stream: { topic: { partitions: 1 } } }).index;
    const four = demand({ stream: { topic: { partitions: 4 } } }).index;
    expect(four.burstSeconds).toBeCloseTo(one.burstSeconds / 4);
  });

  it('scales computing time with memory, but not waiting time', () => {
    const { index } = demand({
      stream: { topic: { partitions: 1 } },
      functions: { index: { memoryMb: 1_769 } },
    });
    // 5 s for 100,000 on a whole core, 4 of them waiting; half of the exchanges are polled in the same minute.
    expect(index.burstSeconds).toBeCloseTo(0.25);
    const half = demand({ stream: { topic: { partitions: 1 } }, functions: { index: { memoryMb: 885 } } });
    expect(half.index.burstSeconds).toBeCloseTo(0.3, 2);
  });

  it('catches up with the spare capacity of Lambda or the domain, whichever is smaller', () => {
    // 83.3 tickers a second come in. One partition on a whole core indexes 20,000; two cores of the domain, too.
    const settings = {
      stream: { topic: { partitions: 1 } },
      functions: { index: { memoryMb: 1_769 } },
      search: { dataNodeType: 'r7g.large.search' },
    };
    const perSecond = 10_000 / 120;
    expect(demand(settings).index.catchUpSeconds).toBeCloseTo((perSecond * 3_600) / (20_000 - perSecond));
    // A burstable node may use a fifth of its cores all the time.
    const burstable = { ...settings, search: { dataNodeType: 't3.medium.search' } };
    expect(demand(burstable).index.catchUpSeconds).toBeCloseTo((perSecond * 3_600) / (4_000 - perSecond));
  });

  it('keeps ticks a month longer than the retention, in every replica', () => {
    const { search } = demand({ retention: { tickDays: 89 } });
    // 7.2 million a day for 89 + 31 days.
    expect(search.tickersGib).toBeCloseTo((7.2e6 * 120 * 300) / GIB);
    expect(search.candlesGib).toBeCloseTo((10_000 * 365 * (24 * 400 + 10 * 100)) / GIB);
    const copied = demand({
      retention: { tickDays: 89 },
      search: { dataNodes: 2, indices: { replicas: 1 } },
    }).search;
    expect(copied.storedGib).toBeCloseTo(2 * search.storedGib);
    expect(copied.shards).toBe(2 * search.shards);
  });

  it('counts S3 requests for each category (batch, marker and listing), of the scheduled redrive and of compact', () => {
    // bybit: linear, inverse, spot. The redrive lists three times, every five minutes.
    // Compact lists eight days of each of 30 markets six times a day, and writes six objects.
    const compact = (730 / 24) * 30 * (6 * 8 + 6);
    expect(demand().lake).toMatchObject({
      putsAndLists: 219_000 * 9 + 8_760 * 3 + compact,
      gets: 2 * 219_000 * 3,
    });
    expect(demand().lake.gbAMonth).toBeCloseTo(21.9);
  });

  it('stores Parquet of a year, and the month’s files that were replaced within the retention', () => {
    // 219 million tickers of 50 bytes a month; 730 candles of 100 bytes and 304 moves of 20 of each of 10,000 series.
    const month = 219e6 * 50 + 10_000 * (730 * 100 + (7_300 / 24) * 20);
    const replaced = (10_000 * (730 * 100 + (7_300 / 24) * 20)) / 2;
    const { lake, lambda } = demand({ retention: { oldVersionDays: 7 } });
    expect(lake.columnsGb).toBeCloseTo((12 * month + 7 * replaced) / 1e9);
    // 7.2 million tickers a day, 20 s a million, on a whole core.
    expect(lambda.compactSecondsPerDay).toBeCloseTo(144);
  });

  it('charges events through the NAT only for on-demand pollers', () => {
    const onDemand = demand().network.natGb;
    const provisioned = demand({ index: { provisioned: true } }).network.natGb;
    expect(provisioned).toBeCloseTo(109.5);
    expect(onDemand - provisioned).toBeCloseTo(219 * 1.024);
  });

  it('counts metrics once per source, those of the stage once, and those of trouble for their share of hours', () => {
    const { metrics, rare, ofStage } = METRIC_GROUPS.ingest;
    const always = Object.keys(metrics).length - rare.length - ofStage.length;
    const perSource = always + 0.1 * (rare.length + METRIC_GROUPS.freshness.rare.length);
    const [one, eleven] = [1, 11].map((exchanges) => demand({}, exchanges).watching.customMetrics);
    expect((eleven ?? 0) - (one ?? 0)).toBeCloseTo(10 * perSource);
  });
});
