import { averagePrice } from './average.ts';
import { percentileBands } from './bands.ts';
import type { Chart, Picture } from './chart.ts';
import { pipelineHealth } from './health.ts';
import { marketNow } from './market-now.ts';
import { priceMoves } from './moves.ts';
import { priceAndChange } from './price.ts';
import { volatilityRanking } from './volatility.ts';

/** Every picture, in the order of the report page. */
export const PICTURES: readonly Picture[] = [
  priceAndChange,
  percentileBands,
  averagePrice,
  priceMoves,
  volatilityRanking,
  pipelineHealth,
];

export const CHARTS: readonly Chart[] = PICTURES.flatMap(({ charts }) => charts);

/** Those in Dashboards: the report page has its own figures above the charts. */
export const DASHBOARD_PICTURES: readonly Picture[] = [marketNow, ...PICTURES];
