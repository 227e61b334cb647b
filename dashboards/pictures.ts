import { averagePrice } from './charts/average.ts';
import { percentileBands } from './charts/bands.ts';
import type { Chart, Picture } from './charts/chart.ts';
import { pipelineHealth } from './charts/health.ts';
import { priceMoves } from './charts/moves.ts';
import { priceAndChange } from './charts/price.ts';
import { volatilityRanking } from './charts/volatility.ts';

/** Everything there is to look at, in the order of the page. */
export const PICTURES: readonly Picture[] = [
  priceAndChange,
  percentileBands,
  averagePrice,
  priceMoves,
  volatilityRanking,
  pipelineHealth,
];

export const CHARTS: readonly Chart[] = PICTURES.flatMap(({ charts }) => charts);
