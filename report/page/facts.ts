import type { Answers } from '../../core/insights/question.ts';
import type { AnswerTable } from '../../core/text/answers/answer-table.ts';
import { profileSections } from '../../core/text/answers/profile-sections.ts';
import { trustNotes } from '../../core/text/answers/trust-words.ts';
import { element } from './elements.ts';

/** The facts about one currency: sentences, each with the numbers behind it, as `insights profile` prints them. */
export function factSections(profile: Answers['profile']): HTMLElement[] {
  const warnings = trustNotes(profile.average).map((note) => element('p', { class: 'warning' }, note));
  const sections = profileSections(profile).map(({ title, facts, tables }) =>
    element(
      'section',
      { class: 'fact' },
      element('h3', {}, title),
      ...facts.map((fact) => element('p', {}, fact)),
      ...(tables.length > 0 ? [numbers(title, tables)] : []),
    ),
  );
  return [...warnings, ...sections];
}

function numbers(title: string, tables: readonly AnswerTable[]): HTMLElement {
  return element(
    'details',
    { class: 'numbers' },
    element('summary', {}, 'The numbers', element('span', { class: 'unseen' }, `: ${title}`)),
    ...tables.map((table) => factTable(title, table)),
  );
}

function factTable(of: string, { title = of, head, rows, left = [0], notes = [] }: AnswerTable): HTMLElement {
  const cells = (row: readonly string[]) =>
    row.map((cell, column) =>
      column === 0 && left.includes(0)
        ? element('th', { scope: 'row' }, cell)
        : element('td', left.includes(column) ? {} : { class: 'number' }, cell),
    );
  const titles = head.map((text) => (text === '' ? element('td') : element('th', { scope: 'col' }, text)));
  const header = head.some((text) => text !== '') ? [element('thead', {}, element('tr', {}, ...titles))] : [];
  const body = element('tbody', {}, ...rows.map((row) => element('tr', {}, ...cells(row))));
  const name = title.replace(/:$/, '');
  return element(
    'div',
    // It may scroll sideways, so the keyboard has to reach it.
    { class: 'table', role: 'region', tabindex: '0', 'aria-label': `Table: ${name}` },
    element('table', {}, element('caption', {}, name), ...header, body),
    ...notes.map((note) => element('p', {}, note)),
  );
}
