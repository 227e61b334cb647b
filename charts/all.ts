import { averagePrice } from './pictures/average.ts';
import { percentileBands } from './pictures/bands.ts';
import type { Chart, Picture } from './pictures/chart.ts';
import { pipelineHealth } from './pictures/health.ts';
import { priceMoves } from './pictures/moves.ts';
import { priceAndChange } from './pictures/price.ts';
import { volatilityRanking } from './pictures/volatility.ts';

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
