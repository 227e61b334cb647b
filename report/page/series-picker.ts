import { isArchived } from '../../charts/questions.ts';
import type { Choices } from '../protocol.ts';
import { byId, element } from './elements.ts';
import { seriesWords } from './words.ts';

/** A box to search the series in, and a list of what was found: a combobox as WAI-ARIA describes it. */
export interface SeriesPicker {
  /** Shows the picked series, unless the reader is typing. */
  show(series: string | undefined): void;
}

interface PickerOptions {
  search(text: string): Promise<Pick<Choices, 'choices' | 'total'>>;
  onPick(series: string): void;
}

/** How long to wait for the next key. */
const PAUSE_MS = 120;

export function seriesPicker(box: HTMLInputElement, { search, onPick }: PickerOptions): SeriesPicker {
  const list = byId('currency-list');
  const count = byId('currency-count');
  const popup = list.parentElement as HTMLElement;
  let picked: string | undefined;
  let offered: string[] = [];
  let offeredFor = '';
  let active = -1;
  let asked = 0;
  let waiting: ReturnType<typeof setTimeout> | undefined;

  const isOpen = () => !popup.hidden;
  const restore = () => {
    box.value = wordsOf(picked);
  };
  const close = () => {
    clearTimeout(waiting);
    asked += 1;
    active = -1;
    popup.hidden = true;
    box.setAttribute('aria-expanded', 'false');
    box.removeAttribute('aria-activedescendant');
    restore();
  };
  const point = (to: number) => {
    active = to;
    for (const [index, option] of [...list.children].entries()) {
      option.setAttribute('aria-selected', String(index === active));
      if (index === active) option.scrollIntoView({ block: 'nearest' });
    }
    if (active < 0) box.removeAttribute('aria-activedescendant');
    else box.setAttribute('aria-activedescendant', `currency-${active}`);
  };
  const pick = (index: number) => {
    const series = offered[index];
    if (series !== undefined) picked = series;
    close();
    if (series !== undefined) onPick(series);
  };
  const offer = async (text: string) => {
    asked += 1;
    const mine = asked;
    const found = await search(text).catch(() => undefined);
    // A later question has replaced this one, or the list was closed.
    if (mine !== asked || !found) return;
    offered = found.choices.map(({ series }) => series);
    offeredFor = text;
    list.replaceChildren(
      ...offered.map((series, index) =>
        element(
          'li',
          { role: 'option', id: `currency-${index}`, 'aria-selected': 'false' },
          optionWords(series),
        ),
      ),
    );
    count.textContent = countWords(offered.length, found.total);
    popup.hidden = false;
    box.setAttribute('aria-expanded', 'true');
    // With a search, Enter takes the first; without one, it keeps what is shown.
    point(text === '' ? offered.indexOf(picked ?? '') : Math.min(0, offered.length - 1));
  };

  const open = () => {
    if (isOpen()) return;
    box.select();
    void offer('');
  };
  /** Takes the option that is pointed at, or the first of what was typed just before. */
  const enter = async () => {
    clearTimeout(waiting);
    const text = box.value.trim();
    if (text !== offeredFor && text !== wordsOf(picked)) await offer(text);
    pick(active);
  };
  box.addEventListener('click', open);
  box.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => void offer(box.value.trim()), PAUSE_MS);
  });
  box.addEventListener('blur', close);
  box.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (isOpen()) point(Math.max(0, Math.min(offered.length - 1, active + step)));
      else open();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      void enter();
    } else if (event.key === 'Escape') close();
  });
  // The box keeps the focus.
  popup.addEventListener('mousedown', (event) => event.preventDefault());
  list.addEventListener('click', (event) => {
    const option = (event.target as Element).closest('li');
    if (option) pick([...list.children].indexOf(option));
  });

  return {
    show(series) {
      picked = series;
      box.disabled = series === undefined;
      if (document.activeElement !== box) restore();
    },
  };
}

function wordsOf(series: string | undefined): string {
  return series === undefined ? '' : seriesWords(series);
}

function optionWords(series: string): string {
  return isArchived(series) ? `${seriesWords(series)}: daily prices of earlier years` : seriesWords(series);
}

function countWords(shown: number, total: number): string {
  if (total === 0) return 'Nothing is called that.';
  const all = total.toLocaleString('en-US');
  return shown < total ? `The ${shown} with the highest turnover of ${all}. Type to find the others.` : '';
}
