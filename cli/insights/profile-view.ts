import { PROFILE_AVERAGES } from '../../core/insights/profile.ts';
import type { Answers } from '../../core/insights/question.ts';
import { formatCount, formatPercent } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { averageTable } from './average-view.ts';
import { flatColumns } from './flat-columns.ts';
import { movesTables } from './moves-view.ts';
import { drawdownTable, returnsTable } from './series-views.ts';
import { trustNotes } from './trust-view.ts';
import { NONE, percentsOf, priceText, type Row, shareText, windowLine } from './words.ts';

type Profile = Answers['profile'];

/** One page about one series. */
export function profileView(profile: Profile): string {
  const { series, quote, average, moves, drawdown, returns } = profile;
  const named = { series, ...(quote === undefined ? {} : { quote }) };
  const notes = trustNotes(average);
  return [
    windowLine(series, profile),
    ...(notes.length > 0 ? notes : []),
    section('What it cost, until the end of this window', averagesTable(profile)),
    section('What it cost over this window', averageTable([{ ...named, ...average }])),
    section('How it moved', movesTables(moves)),
    section('How volatile it was, a year', volatilityTable(profile)),
    section('How far it fell', drawdownTable({ ...drawdown, quote })),
    section('Month by month', returnsTable(returns, 'month')),
    section('What it did within 24 hours', percentilesTable(profile)),
  ].join('\n');
}

function section(title: string, body: string): string {
  return `\n${title}\n${body}`;
}

function averagesTable(profile: Profile): string {
  return textTable(
    ['', 'average', 'lowest', 'highest', 'change', 'data'],
    PROFILE_AVERAGES.map((over) => {
      const one = profile.averages[over];
      if (one === null) return [over, NONE, NONE, NONE, NONE, shareText(0)];
      const prices = [one.mean, one.min, one.max].map((price) => priceText(profile, price));
      return [over, ...prices, formatPercent(one.change), shareText(one.coverage)];
    }),
  );
}

function volatilityTable({ volatility: of }: Profile): string {
  return textTable(
    ['', ''],
    [
      ['from returns', `${shareText(of.volatility)} (${formatCount(of.returns)} returns)`],
      ['realised', shareText(of.realised)],
      ['lately (EWMA)', shareText(of.ewma)],
      ['downwards only', shareText(of.downside)],
      ['from high and low (Parkinson)', shareText(of.parkinson)],
      ['from whole candles (Garman–Klass)', shareText(of.garmanKlass)],
      ['with jumps between them (Yang–Zhang)', shareText(of.yangZhang)],
      ['range of a day, of the price', shareText(of.atrFraction)],
      ['high–low range of the window', shareText(of.rangeFraction)],
    ],
  );
}

function percentilesTable({ percentiles: found }: Profile): string {
  if (found === null) return '  No close has one 24 hours before it.';
  const percents = percentsOf(found.percentiles);
  return [
    textTable(
      percents.map((percent) => `${percent} %`),
      [percents.map((percent) => formatPercent(found.percentiles[percent] as number))],
      [],
    ),
    `\n  Percentiles of ${formatCount(found.samples)} changes that overlap: worth ${formatCount(Math.round(found.effectiveSamples))} that do not.`,
  ].join('\n');
}

/** One row; lists, such as moves by threshold, have their own questions. */
export function profileRows(profile: Profile): Row[] {
  return [flatColumns(profile)];
}
