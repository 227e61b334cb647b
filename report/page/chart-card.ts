import { Error as ErrorsOnly, type Spec } from 'vega';
import embed, { type Result } from 'vega-embed';
import { markData } from '../../charts/mark-data.ts';
import { pageSpec, windowSignals } from '../../charts/page-rendering.ts';
import type { PageChart, PagePicture } from '../../charts/pictures/chart.ts';
import { dataNames } from '../../charts/specs.ts';
import { type Row, tableRows } from '../../charts/table-rows.ts';
import type { PictureAnswer } from '../protocol.ts';
import { element } from './elements.ts';
import { dataTable } from './table.ts';
import { LOCALE, THEME } from './theme.ts';

/** The reader's choices in a picture, by parameter name. */
export type ChosenValues = Readonly<Record<string, string | number>>;

/** One chart on the page, with its table. */
export interface ChartCard {
  readonly element: HTMLElement;
  /** Draws or updates the chart. */
  show(answer: PictureAnswer, chosen: ChosenValues): Promise<void>;
  /** Whether nothing is drawn. */
  isEmpty(): boolean;
  /** Redraws the chart with other choices. */
  choose(chosen: ChosenValues): Promise<void>;
}

export function chartCard(chart: PageChart, picture: PagePicture): ChartCard {
  const titleId = `${chart.id}-title`;
  const canvas = element('div', { class: 'canvas', id: `${chart.id}-chart` });
  const empty = element('p', { class: 'empty', hidden: '' }, chart.whenEmpty);
  const details = element(
    'details',
    { class: 'numbers' },
    element(
      'summary',
      {},
      'The numbers, and how they are calculated',
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
      // Vega without `eval`, which the page's policy forbids.
      ast: true,
      config: THEME,
      formatLocale: LOCALE,
      tooltip: { theme: 'custom' },
      // Vega warns about empty extents until there is data.
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
    isEmpty: () => rows().length === 0,
    async choose(chosen) {
      if (!drawn) return;
      for (const { name } of picture.choices ?? []) drawn.view.signal(name, chosen[name]);
      await drawn.view.runAsync();
      settle();
    },
  };
}

/** Replaces the rows without redrawing, so that the reader's tooltip stays. */
async function update({ view }: Result, chart: PageChart, answer: PictureAnswer): Promise<void> {
  for (const [name, value] of Object.entries(windowSignals(answer))) view.signal(name, value);
  for (const name of dataNames(chart.spec)) view.data(name, structuredClone(answer.rows[name] ?? []));
  await view.runAsync();
}

function drawnRows(chart: PageChart, { view, vgSpec }: Result): Row[] {
  return tableRows(chart, (layer) => {
    const dataSet = markData(vgSpec as Spec, layer);
    return dataSet === undefined ? [] : (view.data(dataSet) as Row[]);
  });
}
