import { Error as ErrorsOnly, type Spec } from 'vega';
import embed, { type Result } from 'vega-embed';
import { markData } from '../../charts/mark-data.ts';
import { pageSpec, windowSignals } from '../../charts/page-rendering.ts';
import type { Chart, Picture } from '../../charts/pictures/chart.ts';
import { type Row, tableRows } from '../../charts/table-rows.ts';
import type { PictureAnswer } from '../protocol.ts';
import { element } from './elements.ts';
import { dataTable } from './table.ts';
import { LOCALE, THEME } from './theme.ts';

/** What a reader has chosen in a picture, by the name of the parameter. */
export type ChosenValues = Readonly<Record<string, string | number>>;

/** One chart on the page, with its table. */
export interface ChartCard {
  readonly element: HTMLElement;
  /** Draws it, or brings what is drawn up to date. */
  show(answer: PictureAnswer, chosen: ChosenValues): Promise<void>;
  /** Draws it again with other choices. */
  choose(chosen: ChosenValues): Promise<void>;
}

export function chartCard(chart: Chart, picture: Picture): ChartCard {
  const titleId = `${chart.id}-title`;
  const canvas = element('div', { class: 'canvas', id: `${chart.id}-chart` });
  const empty = element('p', { class: 'empty', hidden: '' }, chart.whenEmpty);
  const details = element(
    'details',
    { class: 'numbers' },
    element(
      'summary',
      {},
      'The numbers, and how they are counted',
      element('span', { class: 'unseen' }, `: ${chart.title}`),
    ),
    element('p', {}, chart.description),
  );
  let drawn: Result | undefined;

  const rows = (): Row[] => (drawn ? drawnRows(chart, drawn) : []);
  const fillTable = () => {
    details.querySelector('.table')?.remove();
    if (details.open) details.append(dataTable(chart, rows()));
  };
  details.addEventListener('toggle', fillTable);

  const settle = () => {
    const nothing = rows().length === 0;
    empty.hidden = !nothing;
    canvas.classList.toggle('nothing', nothing);
    fillTable();
  };

  async function draw(answer: PictureAnswer, chosen: ChosenValues) {
    drawn = await embed(canvas, pageSpec(chart, picture, answer, chosen), {
      mode: 'vega-lite',
      renderer: 'svg',
      actions: false,
      // Without `eval`: the page forbids it.
      ast: true,
      config: THEME,
      formatLocale: LOCALE,
      tooltip: { theme: 'custom' },
      // It warns of an empty extent wherever there is nothing yet.
      logLevel: ErrorsOnly,
    });
  }

  return {
    element: element(
      'figure',
      { class: 'chart', 'aria-labelledby': titleId },
      element('figcaption', {}, element('h3', { id: titleId }, chart.title)),
      canvas,
      empty,
      details,
    ),
    async show(answer, chosen) {
      if (drawn) await update(drawn, chart, answer);
      else await draw(answer, chosen);
      settle();
    },
    async choose(chosen) {
      if (!drawn) return;
      for (const { name } of picture.choices ?? []) drawn.view.signal(name, chosen[name]);
      await drawn.view.runAsync();
      settle();
    },
  };
}

/** The new rows take the place of the old ones; what is drawn stays, and whatever the reader points at. */
async function update({ view }: Result, chart: Chart, answer: PictureAnswer): Promise<void> {
  for (const [name, value] of Object.entries(windowSignals(answer))) view.signal(name, value);
  for (const name of Object.keys(chart.queries)) view.data(name, structuredClone(answer.rows[name] ?? []));
  await view.runAsync();
}

function drawnRows(chart: Chart, { view, vgSpec }: Result): Row[] {
  return tableRows(chart, (layer) => {
    const dataSet = markData(vgSpec as Spec, layer);
    return dataSet === undefined ? [] : (view.data(dataSet) as Row[]);
  });
}
