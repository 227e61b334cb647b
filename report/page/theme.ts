import type { Config } from 'vega-lite';

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/**
 * The look of the charts. Colours are custom properties of the page, so light, dark and print need no redrawing.
 */
export const THEME: Config = {
  background: 'transparent',
  font: FONT,
  padding: { left: 0, right: 8, top: 4, bottom: 0 },
  view: { stroke: null },
  // Screen readers get the table instead of hundreds of marks.
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
  // Aligns the left edges of charts above each other.
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
  text: { color: 'var(--ink)' },
  // The style of text marks, which Dashboards colours by its own theme.
  style: { 'guide-label': { fill: 'var(--ink)', fontSize: 11.5 } },
};

/** Number formats that match the tables. */
export const LOCALE = {
  decimal: '.',
  thousands: ',',
  grouping: [3],
  currency: ['', ''],
  percent: '\u202f%',
  minus: '-',
};
