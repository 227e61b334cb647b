import type { Config } from 'vega-lite';

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/**
 * How the charts look beside the page's text. Colours are the page's own custom properties, so that light, dark and
 * paper need no redrawing.
 */
export const THEME: Config = {
  background: 'transparent',
  font: FONT,
  padding: { left: 0, right: 8, top: 4, bottom: 0 },
  view: { stroke: null },
  // The tables say it better than hundreds of marks read out one by one.
  mark: { aria: false },
  axis: {
    aria: false,
    labelColor: 'var(--soft)',
    labelFontSize: 11.5,
    labelPadding: 6,
    titleColor: 'var(--soft)',
    titleFontSize: 11.5,
    titleFontWeight: 'normal',
    gridColor: 'var(--line)',
    domainColor: 'var(--line)',
    tickColor: 'var(--line)',
    domain: false,
    ticks: false,
  },
  axisX: { tickCount: 8 },
  // Charts that lie under each other share their left edge.
  axisY: { minExtent: 52 },
  legend: {
    aria: false,
    labelColor: 'var(--ink)',
    labelFontSize: 12,
    symbolSize: 90,
    padding: 0,
    offset: 6,
    columnPadding: 16,
  },
  // Text among the marks is of this style, which Dashboards colours by its own theme.
  style: { 'guide-label': { fill: 'var(--ink)', fontSize: 11.5 } },
};

/** A number's sign and unit as the tables write them. */
export const LOCALE = {
  decimal: '.',
  thousands: ',',
  grouping: [3],
  currency: ['', ''],
  percent: '\u202f%',
  minus: '-',
};
