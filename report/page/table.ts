import type { PageChart } from '../../charts/pictures/chart.ts';
import type { Row } from '../../charts/table-rows.ts';
import { element } from './elements.ts';
import { columnWords } from './words.ts';

/** More rows than anyone reads, and few enough for a browser. */
const MOST_ROWS = 1_000;

/** The numbers behind a chart as a table, for screen readers and for exact values. */
export function dataTable({ table, title }: PageChart, rows: readonly Row[]): HTMLElement {
  const shown = rows.slice(0, MOST_ROWS);
  const head = element(
    'tr',
    {},
    ...table.columns.map((column) => element('th', { scope: 'col' }, column.title)),
  );
  const columns = table.columns.map((column) => ({ ...column, cells: columnWords(column, shown) }));
  const body = shown.map((_, index) =>
    element(
      'tr',
      {},
      ...columns.map(({ format, cells }) =>
        element('td', format === 'text' ? {} : { class: 'number' }, cells[index] ?? ''),
      ),
    ),
  );
  const timed = table.columns.some(({ format }) => format === 'time' || format === 'date');
  const notes = [
    timed ? 'Times are UTC.' : '',
    rows.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${rows.length} rows.` : '',
  ];
  const caption = element('caption', {}, [title, ...notes.filter(Boolean)].join('. ').replace('..', '.'));
  return element(
    'div',
    // It scrolls, so the keyboard has to reach it.
    { class: 'table', role: 'region', tabindex: '0', 'aria-label': `Table: ${title}` },
    element('table', {}, caption, element('thead', {}, head), element('tbody', {}, ...body)),
  );
}
