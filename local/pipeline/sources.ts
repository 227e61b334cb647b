import type { SourceConfig } from '../../exchanges/source-config.ts';
import { choosePort } from '../engines/ports.ts';
import { readHistory } from '../history-files/read-history.ts';
import { ReplayMarket } from '../market-replay/replay-market.ts';
import { startMarketReplay } from '../market-replay/server.ts';
import { HOURLY_HISTORY } from './history.ts';
import type { PipelineOptions, WallClockSource } from './options.ts';
import { ReplayClock } from './replay-clock.ts';
import { keepSamplingIntervals } from './sampling-intervals.ts';

/** The market that the replay serves, and its position. */
export interface Replay {
  market: ReplayMarket;
  clock: ReplayClock;
}

/** The market replay's series: it has Bybit's API, but is an exchange of its own. */
const RECORDED: SourceConfig = {
  name: 'recorded',
  exchange: 'recorded',
  api: 'bybit-v5',
  categories: ['spot'],
};

/** Used for the market replay if it is free. */
const REPLAY_PORT = 8090;

/** The sources to poll. Starts the market replay's server if that is the source. */
export async function startSources(
  { sources, intervalMs, folder, ports }: PipelineOptions,
  cleanups: AsyncDisposableStack,
): Promise<{ sources: readonly WallClockSource[]; replay: Replay | undefined }> {
  const clock = new ReplayClock(folder);
  if (sources !== 'replay') {
    clock.rest();
    const configs = sources.map(({ config }) => config);
    keepSamplingIntervals(folder, configs, intervalMs);
    return { sources, replay: undefined };
  }
  const market = new ReplayMarket(await readHistory(HOURLY_HISTORY));
  const server = await startMarketReplay({
    market,
    clock: () => clock.position?.slotMs ?? market.firstSlot() ?? 0,
    port: await choosePort({
      engine: 'the market replay',
      option: '--source-port',
      usual: REPLAY_PORT,
      requested: ports.source,
    }),
  });
  cleanups.defer(() => server.close());
  return { sources: [{ config: RECORDED, url: server.url }], replay: { market, clock } };
}
