import type { Answers } from '../../core/insights/question.ts';
import { profileSections } from '../../core/text/answers/profile-sections.ts';
import { trustNotes } from '../../core/text/answers/trust-words.ts';
import { windowLine } from '../../core/text/answers/words.ts';
import { flatColumns } from './flat-columns.ts';
import { indented, printed, type Row } from './words.ts';

/** One page about one series: sentences, and below them the numbers. */
export function profileView(profile: Answers['profile']): string {
  const sections = profileSections(profile).map(({ title, facts, tables }) =>
    [`\n${title}`, ...indented(facts), ...tables.map((table) => `\n${printed(table)}`)].join('\n'),
  );
  const notes = indented(trustNotes(profile.average));
  return [windowLine(profile.series, profile), ...notes, ...sections].join('\n');
}

/** One row; lists, such as moves by threshold, have their own questions. */
export function profileRows(profile: Answers['profile']): Row[] {
  return [flatColumns(profile)];
}
