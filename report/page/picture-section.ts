import type { ChartChoice, PagePicture } from '../../charts/pictures/chart.ts';
import type { PageWindow } from '../../charts/windows.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import type { PictureAnswer } from '../protocol.ts';
import { chartCard } from './chart-card.ts';
import { element } from './elements.ts';
import { factSections } from './facts.ts';
import { timeWords, words } from './words.ts';

/** One picture on the page: its charts and controls. */
export interface PictureSection {
  readonly element: HTMLElement;
  /** Notes that there may be new data. */
  markStale(): void;
  /**
   * Reloads the data if it may have changed.
   * @param isUpdate of what is shown already, which may wait for a while
   */
  refresh(window: PageWindow | undefined, isUpdate?: boolean): Promise<void>;
  isInSight(): boolean;
}

/** @param ask returns undefined if there is nothing to show yet */
export function pictureSection(
  picture: PagePicture,
  ask: (window: PageWindow | undefined) => Promise<PictureAnswer | undefined>,
): PictureSection {
  const cards = picture.charts.map((chart) => chartCard(chart, picture));
  const chosen: Record<string, string | number> = Object.fromEntries(
    (picture.choices ?? []).map(({ name, value }) => [name, value]),
  );
  const period = element('p', { class: 'period' });
  const controls = (picture.choices ?? []).map((choice) =>
    choiceControl(picture.id, choice, (value) => {
      chosen[choice.name] = value;
      void Promise.all(cards.map((card) => card.choose(chosen)));
    }),
  );
  const facts = element('div', { class: 'facts' });
  const section = element(
    'section',
    { class: 'picture', id: picture.id, 'aria-labelledby': `${picture.id}-title` },
    element(
      'header',
      {},
      element('h2', { id: `${picture.id}-title` }, picture.title),
      element('p', { class: 'about' }, picture.about),
      period,
      ...controls,
    ),
    facts,
    element('div', { class: 'charts' }, ...cards.map((card) => card.element)),
  );
  let isStale = true;
  let loadedMs = 0;
  let shown = Promise.resolve();

  return {
    element: section,
    markStale() {
      isStale = true;
    },
    refresh(window, isUpdate = false) {
      if (isUpdate && Date.now() - loadedMs < (picture.restMs ?? 0)) return shown;
      // One at a time, so that an older answer never replaces a newer one.
      shown = shown
        .catch(() => {})
        .then(async () => {
          if (!isStale) return;
          isStale = false;
          loadedMs = Date.now();
          try {
            const answer = await ask(window);
            if (!answer) return;
            period.textContent = periodWords(answer);
            if (answer.profile) facts.replaceChildren(...factSections(answer.profile));
            // A chart takes its width from the page.
            section.hidden = false;
            for (const card of cards) card.element.hidden = false;
            await Promise.all(cards.map((card) => card.show(answer, chosen)));
            if (picture.onlyWithData) for (const card of cards) card.element.hidden = card.isEmpty();
            section.hidden = cards.every((card) => card.element.hidden);
          } catch (error) {
            isStale = true;
            throw error;
          }
        });
      return shown;
    },
    isInSight() {
      const { top, bottom } = section.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    },
  };
}

function periodWords({ fromMs, toMs, hours }: PictureAnswer): string {
  const period = `${timeWords(fromMs)} to ${timeWords(toMs - 1)}`;
  if (hours === undefined) return period;
  const covered = Math.min(1, hours / Math.floor((toMs - fromMs) / HOUR_MS));
  return `${period} · coverage ${words(covered, 'share')} of its hours`;
}

/** Radio buttons, so that the arrow keys work. */
function choiceControl(
  picture: string,
  { name, label, options, value }: ChartChoice,
  onChange: (value: string | number) => void,
): HTMLElement {
  return element(
    'fieldset',
    { class: 'choice' },
    element('legend', {}, label),
    ...options.map((option) => {
      const input = element('input', {
        type: 'radio',
        // Pictures may have choices of the same name.
        name: `${picture}-${name}`,
        value: String(option.value),
      });
      input.checked = option.value === value;
      input.addEventListener('change', () => onChange(option.value));
      return element('label', {}, input, element('span', {}, option.label));
    }),
  );
}
