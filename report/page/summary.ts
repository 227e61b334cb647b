import type { SeriesSummary } from '../../charts/report-data.ts';
import { AVERAGE_WINDOWS } from '../../charts/windows.ts';
import { element } from './elements.ts';
import { seriesWords, sourceWords, timeWords, windowWords, words } from './words.ts';

/** Shows the latest price and the average prices of the picked series. */
export function showSummary(
  container: HTMLElement,
  series: string | undefined,
  summary: SeriesSummary | undefined,
): void {
  container.hidden = series === undefined;
  if (series === undefined) return;
  const newest = summary?.newest;
  const latest = newest
    ? [
        figure('Last price', words(newest.price, 'price'), timeWords(newest.slotMs)),
        figure(
          '24 h change',
          words(newest.change24h, 'percent'),
          `${words(newest.low24h, 'price')} to ${words(newest.high24h, 'price')}`,
        ),
      ]
    : [];
  const averages = AVERAGE_WINDOWS.flatMap((window) => {
    const average = summary?.averages[window];
    if (!average) return [];
    const detail = `change ${words(average.change, 'percent')}, coverage ${words(average.coverage, 'share')}`;
    return [figure(`Average, ${windowWords(window)}`, words(average.mean, 'price'), detail)];
  });
  const longest = AVERAGE_WINDOWS.findLast((window) => summary?.averages[window]);
  const sources = longest && summary?.averages[longest];
  const about = sources
    ? `${sourceWords(windowWords(longest), sources)} What reverses in between is not seen. Prices are in the quote currency, times are UTC.`
    : '';
  container.replaceChildren(
    element('h2', { id: 'summary-title' }, seriesWords(series)),
    element('dl', { class: 'figures' }, ...latest, ...averages),
    element('p', { class: 'about' }, about),
  );
}

function figure(name: string, value: string, detail: string): HTMLElement {
  return element(
    'div',
    { class: 'figure' },
    element('dt', {}, name),
    element('dd', {}, element('strong', {}, value), element('span', { class: 'detail' }, detail)),
  );
}
