import { averagePrice } from './average.ts';
import { percentileBands } from './bands.ts';
import type { Chart, PagePicture, Picture } from './chart.ts';
import { correlation } from './correlation.ts';
import { pipelineHealth } from './health.ts';
import { marketNow } from './market-now.ts';
import { priceMoves } from './moves.ts';
import { priceAndChange } from './price.ts';
import { profile } from './profile.ts';
import { spreadAndFunding } from './spread.ts';
import { volatilityRanking } from './volatility.ts';

/** Every picture whose rows OpenSearch answers: Dashboards has these. */
export const PICTURES: readonly Picture[] = [
  priceAndChange,
  percentileBands,
  averagePrice,
  priceMoves,
  volatilityRanking,
  spreadAndFunding,
  pipelineHealth,
];

export const CHARTS: readonly Chart[] = PICTURES.flatMap(({ charts }) => charts);

/** Those in Dashboards: the report page has its own figures above the charts. */
export const DASHBOARD_PICTURES: readonly Picture[] = [marketNow, ...PICTURES];

/** Every picture, in the order of the report page. */
export const PAGE_PICTURES: readonly PagePicture[] = [profile, correlation, ...PICTURES];
