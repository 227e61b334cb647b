import { layOver, type StageSettings } from '../lib/config/settings.ts';
import { parseStageConfig, type StageConfig } from '../lib/config/stage-config.ts';
import { type CostLine, costOf, totalUsd } from './cost.ts';
import { type Demand, demandOf } from './demand.ts';
import type { Figures } from './figures.ts';
import type { Inventory } from './growing.ts';
import { type Headroom, headroomOf } from './headroom.ts';
import { workloadOf } from './workload.ts';

/** What a stage needs, how close it is to its limits, and what it costs. */
export interface Estimate {
  config: StageConfig;
  demand: Demand;
  headroom: Headroom[];
  cost: CostLine[];
  /** Per month. */
  usd: number;
}

/** @throws UnknownPriceError */
export function estimateOf(config: StageConfig, figures: Figures, inventory: Inventory): Estimate {
  const demand = demandOf(config, workloadOf(config, figures.tickersPerExchange), figures);
  const cost = costOf(config, demand, inventory);
  return { config, demand, headroom: headroomOf(config, demand, inventory), cost, usd: totalUsd(cost) };
}

/** More than any setting needs; it ends earlier if no setting can raise a limit. */
const MAX_STEPS = 300;

/** Raises settings of the stage step by step, until no limit is near. */
export function fitted(
  config: StageConfig,
  figures: Figures,
  inventory: Inventory,
): { estimate: Estimate; settings: StageSettings } {
  let settings: StageSettings = {};
  let estimate = estimateOf(config, figures, inventory);
  for (let step = 0; step < MAX_STEPS; step++) {
    const raise = estimate.headroom.find(({ state, raise }) => state !== 'ok' && raise)?.raise;
    if (!raise) break;
    settings = layOver(settings, raise()) as StageSettings;
    estimate = estimateOf(parseStageConfig(layOver(config, settings)), figures, inventory);
  }
  return { estimate, settings };
}
