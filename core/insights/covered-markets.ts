import { CATEGORIES, formatMarket, formatSeries, type Market } from '../market/series.ts';
import { HOUR_MS } from '../market/time.ts';
import { highest } from './extremes.ts';
import { ALL_TIME } from './history.ts';
import type { MarketStore } from './ports.ts';
import { ARCHIVE } from './resolve.ts';

/** A market of which there are candles. */
export interface CoveredMarket extends Market {
  /** The end of its last hour that was summarised from ticks; without ticks, of its last candle. ISO 8601 UTC. */
  to: string;
  /** Names, sorted. */
  series: string[];
}

/** Every market of which there are candles, also the archive and options, by name. */
export async function coveredMarkets(
  store: Pick<MarketStore, 'extents' | 'lastSummarisedHour'>,
): Promise<CoveredMarket[]> {
  const scopes = [
    {},
    ...CATEGORIES.map((category) => ({ exchange: ARCHIVE, category })),
    { category: 'option' as const },
  ];
  const extents = (await Promise.all(scopes.map((scope) => store.extents(scope)))).flat();
  const markets = Map.groupBy(extents, ({ series }) => formatMarket(series));
  const found = [...markets]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(async ([, ofMarket]) => {
      const [{ series }] = ofMarket as [(typeof extents)[number]];
      const { exchange, category } = series;
      const lastHour = await store.lastSummarisedHour({ exchange, category }, ALL_TIME);
      const toMs = lastHour === undefined ? highest(ofMarket.map(({ endMs }) => endMs)) : lastHour + HOUR_MS;
      return {
        ...{ exchange, category },
        to: new Date(toMs).toISOString(),
        series: ofMarket.map((each) => formatSeries(each.series)).sort(),
      };
    });
  return Promise.all(found);
}
