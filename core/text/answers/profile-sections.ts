import type { Answers } from '../../insights/question.ts';
import type { AnswerTable } from './answer-table.ts';
import { averagesTable, averageTable } from './average-tables.ts';
import { movesTables } from './moves-tables.ts';
import {
  costFacts,
  drawdownFacts,
  monthFacts,
  moveFacts,
  trustFacts,
  volatilityFacts,
} from './profile-facts.ts';
import { drawdownTable, percentilesTable, returnsTable, volatilityTable } from './series-tables.ts';

/** A part of the page about one currency: sentences, and the numbers behind them. */
export interface ProfileSection {
  title: string;
  facts: string[];
  tables: AnswerTable[];
}

/** The page about one currency. The command line and the report page show the same. */
export function profileSections(profile: Answers['profile']): ProfileSection[] {
  const { series, quote, average, moves, drawdown, returns } = profile;
  const named = { series, ...(quote === undefined ? {} : { quote }) };
  return [
    {
      title: 'What it cost',
      facts: costFacts(profile),
      tables: [
        averageTable([{ ...named, ...average }]),
        { title: 'Over other windows with the same end:', ...averagesTable(profile) },
      ],
    },
    { title: 'How it moved', facts: moveFacts(profile), tables: movesTables(moves) },
    {
      title: 'How volatile it was',
      facts: volatilityFacts(profile),
      tables: [
        { title: 'Volatility, a year:', ...volatilityTable(profile) },
        { title: 'The change within 24 hours:', ...percentilesTable(profile) },
      ],
    },
    {
      title: 'How far it fell',
      facts: drawdownFacts(profile),
      tables: [{ ...drawdownTable(drawdown, quote), notes: [] }],
    },
    {
      title: 'Month by month',
      facts: monthFacts(profile),
      tables: [{ ...returnsTable(returns, 'month'), notes: [] }],
    },
    { title: 'How much this can be trusted', facts: trustFacts(profile), tables: [] },
  ];
}
