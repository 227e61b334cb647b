import { describe, expect, it } from 'vitest';
import { type StageName, stageConfig } from '../../../lib/config/stages.ts';
import { totalUsd } from '../../../scale/cost.ts';
import { estimateOf, fitted } from '../../../scale/estimate.ts';
import { FIGURE_VALUES } from '../../../scale/figures.ts';
import { UnknownPriceError } from '../../../scale/prices.ts';
import { withSources } from '../../../scale/workload.ts';
import { FIGURES, INVENTORY } from './sample.ts';

function estimate(stage: StageName, settings = {}, exchanges = 1, figures = FIGURES) {
  return estimateOf(withSources(stageConfig(stage, settings), exchanges), figures, INVENTORY);
}

const limit = (of: ReturnType<typeof estimate>, what: string) =>
  of.headroom.find((row) => row.what.includes(what));

describe('limits', () => {
  it('counts only the usable part of the volumes', () => {
    const row = limit(estimate('dev', { search: { volumeGb: 100 } }), 'OpenSearch: storage');
    expect(row?.limit).toBeCloseTo(76);
    expect(row?.share).toBeCloseTo((row?.use ?? 0) / 76);
  });

  it.each([
    [1, 'ok'],
    [33, 'near'],
    [47, 'over'],
  ] as const)('finds a stack with %i sources %s', (exchanges, state) => {
    expect(limit(estimate('dev', {}, exchanges), 'CloudFormation')?.state).toBe(state);
  });

  it('knows that small brokers accept few connections at once', () => {
    const connections = (instanceType: string) =>
      limit(estimate('dev', { stream: { instanceType } }, 600), 'IAM connections')?.state;
    expect(connections('kafka.t3.small')).toBe('over');
    expect(connections('kafka.m7g.large')).toBe('ok');
  });

  it('does not mind full events or the largest volume per node', () => {
    const full = estimate('dev', { search: { volumeGb: 200 } }, 1, {
      ...FIGURES,
      tickersPerExchange: 50_000,
    });
    expect(limit(full, 'records in a 6 MB event')).toMatchObject({ share: 1, state: 'ok' });
    expect(limit(full, 'volume per node')).toMatchObject({ share: 1, state: 'ok' });
    expect(limit(estimate('dev', { search: { volumeGb: 210 } }), 'volume per node')?.state).toBe('over');
  });

  it('leaves out the limits and cost of an existing cluster', () => {
    const existing = { clusterArn: 'arn:aws:kafka:us-east-1:123456789012:cluster/theirs/1' };
    const theirs = estimate('dev', { stream: { existing } });
    expect(theirs.headroom.filter(({ what }) => what.startsWith('Kafka'))).toEqual([]);
    expect(theirs.cost.filter(({ group }) => group === 'Kafka')).toEqual([]);
  });
});

describe('the monthly bill', () => {
  it('is the sum of quantity × price', () => {
    const { cost, usd } = estimate('prod');
    for (const { quantity, unitUsd, usd } of cost) expect(usd).toBeCloseTo(quantity * unitUsd);
    expect(usd).toBe(totalUsd(cost));
    expect(cost.find(({ what }) => what.includes('kafka.m7g.large'))).toMatchObject({ quantity: 2_190 });
  });

  it('bills one unit for ten provisioned pollers', () => {
    const units = (minimumPollers: number) =>
      estimate('prod', { index: { minimumPollers, maximumPollers: 20 } }).cost.find(({ what }) =>
        what.startsWith('event poller'),
      )?.quantity;
    expect([units(1), units(10), units(11)]).toEqual([730, 730, 1_460]);
  });

  it('has no price for a type that is not in the list', () => {
    expect(() => estimate('dev', { search: { dataNodeType: 'x9.huge.search' } })).toThrow(UnknownPriceError);
  });
});

describe('settings for more exchanges', () => {
  it.each([
    ['dev', 10],
    ['prod', 40],
  ] as const)('raises %s for %i exchanges until no limit is near', (stage, exchanges) => {
    const { estimate: large, settings } = fitted(
      withSources(stageConfig(stage), exchanges),
      FIGURE_VALUES,
      INVENTORY,
    );
    const beyond = large.headroom.filter(({ state, raise }) => state !== 'ok' && raise);
    expect(beyond).toEqual([]);
    // What it prints can be deployed.
    expect(withSources(stageConfig(stage, settings), exchanges)).toEqual(large.config);
  });

  it('changes nothing if everything fits', () => {
    expect(fitted(stageConfig('prod'), FIGURE_VALUES, INVENTORY).settings).toEqual({});
  });
});
